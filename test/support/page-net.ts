import * as fcn from "@fcn/core";
import { createDevice, noGrad } from "@fcn/tensor";
import { uniform } from "./hash-values.js";

/** What {@link pageNet} made, as plain values that cross from a browser. */
export interface PageNet {
  readonly runtime: string;
  /** The file of weights, byte by byte. */
  readonly bytes: readonly number[];
  /** [1, 3, 64, 96] of the trained net on {@link pageInput}. */
  readonly logits: readonly number[];
  /** What `saveModel` says where there are no files; empty where there are. */
  readonly saving: string;
}

export const PAGE_CLASSES = ["ground", "ball", "wall"];
export const PAGE_PREPROCESSING: fcn.data.Preprocessing = {
  channelOrder: "rgb",
  mean: [100, 90, 80],
  std: [60, 50, 40],
};

/** Values [1, 3, 64, 96]. */
export const pageInput = (): Float32Array => uniform("page image", [1, 3, 64, 96], 1);

/** A residual backbone of stride 8, scores, and one transposed convolution that returns multiples of 8 only. */
export function pageGraph(): fcn.Graph {
  const builder = new fcn.GraphBuilder("page-net");
  let at = builder.add("data", { kind: "input", channels: 3 });
  for (const [i, outChannels] of [6, 8, 10].entries()) {
    const window = { kernelSize: 3, stride: 2, padding: 1 };
    at = builder.add(`conv${i}`, { kind: "conv", outChannels, ...window, bias: false, init: "kaiming" }, at);
    at = builder.add(`bn${i}`, { kind: "batchNorm" }, at);
    at = builder.add(`relu${i}`, { kind: "relu" }, at);
    const side = builder.add(`side${i}`, { kind: "conv", outChannels, kernelSize: 3, padding: 1 }, at);
    at = builder.add(`sum${i}`, { kind: "add" }, side, at);
  }
  const score = builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1, init: "xavier" }, at);
  const window = { kernelSize: 16, stride: 8, padding: 4 };
  return builder.build({
    out: builder.add("up", { kind: "convTranspose", outChannels: 3, ...window, bias: true, learned: true }, score),
  });
}

/** Builds and trains a net, on a page or in Node, and returns it as the bytes of a file. */
export async function pageNet(samples: readonly (readonly number[])[]): Promise<PageNet> {
  const device = await createDevice({ quiet: true });
  try {
    const net = new fcn.GraphNet(device, pageGraph(), 3);
    const data = samples.map((values, i) => {
      const pixels = values.length / 4;
      const image = { data: Uint8Array.from(values.slice(pixels)), height: 32, width: 32, channels: 3 };
      return { name: `${i}`, image, labels: Uint8Array.from(values.slice(0, pixels)) };
    });
    const settings = { preprocessing: PAGE_PREPROCESSING, numClasses: 3, steps: 4, learningRate: 0.01 };
    await fcn.train({ model: net, data, batchSize: 2, ...settings });
    const saving = await fcn.saveModel("net.safetensors", net).then(
      () => "",
      (error: { message: string; fix: string }) => `${error.message} ${error.fix}`,
    );
    const bytes = await fcn.encodeModel(net, { classes: PAGE_CLASSES });
    net.eval();
    const logits = noGrad(() => net.forward(device.tensor(pageInput(), [1, 3, 64, 96])));
    const { runtime } = device.info;
    return { runtime, saving, bytes: Array.from(bytes), logits: Array.from(await logits.data()) };
  } finally {
    device.destroy();
  }
}
