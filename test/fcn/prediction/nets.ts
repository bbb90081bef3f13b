import { type data, models } from "@fcn/core";
import type { Device } from "@fcn/tensor";
import { random } from "../../support/nd.js";

/** Values as they are: whole numbers stay whole numbers. */
export const RAW: data.Preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1] };

/** Two convolutions to stride 4, scores, bilinear upsampling by 4. A value looks at 7 + 4 pixels on one side. */
export function smallGraph(numClasses: number): models.Graph {
  const builder = new models.GraphBuilder("small");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const window = { kernelSize: 3, stride: 2, padding: 1 };
  const first = builder.add("conv1", { kind: "conv", outChannels: 4, ...window }, image);
  const active = builder.add("relu1", { kind: "relu" }, first);
  const second = builder.add("conv2", { kind: "conv", outChannels: 5, ...window }, active);
  const score = builder.add("score", { kind: "conv", outChannels: numClasses, kernelSize: 1 }, second);
  const up = builder.add(
    "up",
    { kind: "convTranspose", outChannels: numClasses, groups: numClasses, kernelSize: 7, stride: 4 },
    score,
  );
  return builder.build({ out: builder.add("out", { kind: "crop" }, up, image) });
}

export interface SmallNetOptions {
  readonly numClasses?: number;
  readonly seed?: number;
  /** Left and right halves of every kernel alike. */
  readonly symmetric?: boolean;
  readonly positive?: boolean;
}

/**
 * The net of {@link smallGraph} with small whole numbers as weights. On images of whole numbers all its sums are exact
 * in float32, in whatever order they are taken.
 */
export function smallNet(device: Device, options: SmallNetOptions = {}): models.GraphNet {
  const { numClasses = 3, seed = 1, symmetric = false, positive = false } = options;
  const net = new models.GraphNet(device, smallGraph(numClasses), 0);
  for (const [i, [, parameter]] of net.namedParameters().entries()) {
    const { data: values } = random(parameter.shape, seed + i, positive ? 1 : -3, 3);
    const row = parameter.shape[3] ?? 1;
    const mirrored = (at: number): number => at - (at % row) + Math.min(at % row, row - 1 - (at % row));
    const whole = Float32Array.from(values, (_, at) => Math.round(values[symmetric ? mirrored(at) : at]!));
    parameter.assign(whole);
  }
  return net;
}

/** An image of whole numbers 0 to 7, in blotches and noise. */
export function makeImage(height: number, width: number, seed = 1): data.RasterImage & { readonly data: Uint8Array } {
  const values = new Uint8Array(height * width * 3);
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const noise = Math.imul(i + seed * 7919, 0x9e3779b1) >>> 29;
    values[i] = (noise + ((x >> 4) ^ (y >> 4)) + seed) % 8;
  }
  return { data: values, height, width, channels: 3 };
}

/** An image of 16 x 20 pixels with label 1 on its left and label 2 on its right. */
export function makeSample(): data.SegmentationSample {
  const [height, width] = [16, 20];
  const labels = Uint8Array.from({ length: height * width }, (_, i) => (i % width < 9 ? 1 : 2));
  return { name: "a", image: makeImage(height, width), labels };
}
