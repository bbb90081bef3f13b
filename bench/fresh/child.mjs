/**
 * What a process does first: `node child.mjs ours|onnx|onnxCpu FILE` reads a net and predicts one image,
 * `node child.mjs train` trains d2l-resnet18 for two steps. Prints the ms since the process began, its peak memory and
 * the root of the mean square of what it computed.
 */
import { processPeak } from "../lib/processPeak.mjs";
import { PEERS } from "../sides/index.mjs";
import { CLASSES, HEIGHT, makeImage, WIDTH } from "./image.mjs";

async function predictHere(file) {
  const [{ createDevice, noGrad }, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const device = await createDevice({ quiet: true });
  const { model } = await fcn.loadModel(file, device);
  const { data, shape } = makeImage();
  return await device.scope(async () => await noGrad(() => model.forward(device.tensor(data, shape))).data());
}

async function predictThere(name, file) {
  const side = await PEERS[name].open();
  const session = await side.session(file);
  return Object.values(await side.download(() => session.run(makeImage())))[0].data;
}

async function train() {
  const [{ createDevice, crossEntropy, optim }, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const device = await createDevice({ quiet: true });
  const net = fcn.models.create("d2l-resnet18", device, { numClasses: CLASSES, seed: 1 });
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3 });
  const { data, shape } = makeImage();
  const losses = [];
  for (let i = 0; i < 2; i++) {
    await device.scope(async () => {
      const labels = device.zeros([1, HEIGHT, WIDTH], { dtype: "int32" });
      const loss = crossEntropy(net.forward(device.tensor(data, shape)), labels);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      losses.push(await loss.item());
    });
  }
  return losses;
}

const [what, file] = process.argv.slice(2);
const work = { ours: () => predictHere(file), train };
const values = await (work[what] ?? (() => predictThere(what, file)))();
const ms = performance.now();
const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
console.log(JSON.stringify({ ms, size, peakBytes: processPeak() }));
process.exit(0);
