/**
 * A net here and in onnxruntime, by our own export: the same weights, an image in memory of the host in, scores in
 * memory of the host out.
 */

const outputsOf = (scores) => ("shape" in scores ? { out: scores } : scores);

async function openHost({ T, device }, net, image) {
  net.eval();
  const step = async () => {
    const scores = T.noGrad(() => net.forward(device.tensor(image.data, image.shape)));
    const host = {};
    for (const [name, tensor] of Object.entries(outputsOf(scores))) {
      host[name] = { data: await tensor.data(), shape: tensor.shape };
    }
    return host;
  };
  return { net, step, owned: [net] };
}

async function openSession(side, image, { sides, opened }) {
  const session = await side.session(await sides.ours.fcn.encodeOnnx(opened.host.net));
  return { step: () => session.run(image), owned: [session] };
}

/**
 * What opens a net on each side that runs nets.
 *
 * @param {(side: object) => object} makeNet the net on our side
 * @param {() => { data: Float32Array, shape: number[] }} makeImage
 */
export function netOpens(makeNet, makeImage) {
  const session = (side, context) => openSession(side, makeImage(), context);
  return {
    host: async (side) => openHost(side, await makeNet(side), makeImage()),
    onnx: session,
    onnxCpu: session,
  };
}
