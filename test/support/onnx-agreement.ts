import { encodeOnnx, type models, type OnnxOptions } from "@fcn/core";
import { type Device, noGrad, type Tensor } from "@fcn/tensor";
import { expect } from "vitest";
import type { HostTensor } from "./golden.js";
import { uniform } from "./hash-values.js";
import { openOnnx } from "./onnx.js";

type Net = models.GraphNet<models.NetOutput>;

export interface Image {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/** Largest difference that passes, as a share of the range of the output. */
const AGREEMENT = 1e-4;

export function imageFor(net: Net, { batch, height, width }: Image): HostTensor {
  const input = net.graph.nodes.find(({ layer }) => layer.kind === "input")?.layer;
  const shape = [batch, input?.kind === "input" ? input.channels : 0, height, width];
  return { dtype: "float32", shape, data: uniform(`image ${shape}`, shape, 1) };
}

/** The heads of the net itself, by name. */
export async function forwardOf(net: Net, device: Device, image: HostTensor): Promise<Record<string, HostTensor>> {
  return device.scope(async () => {
    const output = noGrad(() => net.forward(device.tensor(image.data, [...image.shape])));
    const heads = "shape" in output ? { out: output as Tensor } : output;
    const host: Record<string, HostTensor> = {};
    for (const [name, tensor] of Object.entries(heads)) {
      const data = (await tensor.data()) as Float32Array | Int32Array;
      host[name] = { dtype: "float32", shape: [...tensor.shape], data };
    }
    return host;
  });
}

/**
 * Runs the net here and, exported once, in onnxruntime on images of several sizes; every head must agree in shape and
 * values.
 */
export async function expectAgreement(
  net: Net,
  device: Device,
  images: readonly Image[],
  options: OnnxOptions = {},
): Promise<Uint8Array> {
  net.eval();
  const bytes = await encodeOnnx(net, options);
  const session = await openOnnx(bytes);
  try {
    for (const size of images) {
      const image = imageFor(net, size);
      const want = await forwardOf(net, device, image);
      const got = await session.run(image);
      expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
      for (const [head, { shape, data }] of Object.entries(want)) {
        const where = `${head} at ${size.height}x${size.width}`;
        expect(got[head]?.shape, where).toEqual(shape);
        expect(differenceOfRange(data, (got[head] as HostTensor).data), where).toBeLessThan(AGREEMENT);
      }
    }
  } finally {
    await session.release();
  }
  return bytes;
}

/** Largest difference over the range of `want`; not a number where either has none, and infinite for a constant. */
function differenceOfRange(want: ArrayLike<number>, got: ArrayLike<number>): number {
  let [lowest, highest, difference] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < want.length; i++) {
    const value = want[i] as number;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
    difference = Math.max(difference, Math.abs(value - (got[i] as number)));
  }
  return highest > lowest ? difference / (highest - lowest) : Number.POSITIVE_INFINITY;
}
