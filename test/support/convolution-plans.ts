import { type Capabilities, type Conv2dGeometry, planConv2d, planConv2dWeightGradient } from "@fcn/kernels";
import * as reference from "@fcn/kernels/reference";
import type { Device } from "@fcn/tensor";
import { emptyTensor, runPlan } from "@fcn/tensor/internal";
import { compare, sides, termsOf } from "./convolution.js";
import { uniform } from "./hash-values.js";

/** From [n, c, h, w] to channels last. */
function channelsLast(values: Float32Array, [, c, h, w]: number[]): Float32Array {
  const size = h! * w!;
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const image = Math.floor(i / (c! * size));
    out[(image * size + (i % size)) * c! + (Math.floor(i / size) % c!)] = values[i]!;
  }
  return out;
}

/** From channels last to [n, c, h, w]. */
function channelsFirst(values: ArrayLike<number>, [, c, h, w]: number[]): Float32Array {
  const size = h! * w!;
  return Float32Array.from(values, (_, i) => {
    const image = Math.floor(i / (c! * size));
    return values[(image * size + (i % size)) * c! + (Math.floor(i / size) % c!)]!;
  });
}

/** From OIHW to the kernels' (kernelH, kernelW, inC / groups, outC). */
function kernelOrder(w: Float32Array, [, cin, kh, kw]: number[], outC: number): Float32Array {
  const taps = kh! * kw!;
  const out = new Float32Array(w.length);
  for (let i = 0; i < w.length; i++) {
    const o = Math.floor(i / (cin! * taps));
    const ci = Math.floor(i / taps) % cin!;
    out[((i % taps) * cin! + ci) * outC + o] = w[i]!;
  }
  return out;
}

/**
 * The three plans on host-permuted operands, without the ops around them: only the convolution kernels need to work in
 * parts here. `slack` is how many times the error of plain sums is allowed.
 */
export async function checkPlans(
  device: Device,
  g: Conv2dGeometry,
  caps: Capabilities = device.capabilities,
  slack = 1,
): Promise<void> {
  const { large, small, weight } = sides(g);
  const [x, y, w] = [uniform("large", large, 1), uniform("small", small, 1), uniform("w", weight, 1)];
  const [bSmall, bLarge] = [uniform("b", [g.outC], 1), uniform("b", [g.inC], 1)];
  const most = termsOf(g);
  await device.scope(async () => {
    const [tx, ty] = [device.tensor(channelsLast(x, large)), device.tensor(channelsLast(y, small))];
    const tw = device.tensor(kernelOrder(w, weight, g.outC));
    const [outY, outX, outW] = [
      emptyTensor(device, [y.length]),
      emptyTensor(device, [x.length]),
      emptyTensor(device, [w.length]),
    ];
    runPlan(device, "forward", planConv2d(g, "forward", true, caps), {
      x: tx,
      w: tw,
      b: device.tensor(bSmall),
      y: outY,
    });
    runPlan(device, "transposed", planConv2d(g, "transposed", true, caps), {
      x: ty,
      w: tw,
      b: device.tensor(bLarge),
      y: outX,
    });
    runPlan(device, "weight gradient", planConv2dWeightGradient(g, caps), { x: tx, dy: ty, dw: outW });
    compare(
      "forward",
      channelsFirst(await outY.data(), small),
      small,
      reference.conv2d(g, x, w, bSmall),
      slack * (most.small + 1),
    );
    compare(
      "transposed",
      channelsFirst(await outX.data(), large),
      large,
      reference.convTranspose2d(g, y, w, bLarge),
      slack * (most.large + 1),
    );
    const wantW = kernelOrder(Float32Array.from(reference.conv2dWeightGradient(g, x, y)), weight, g.outC);
    compare("weight gradient", await outW.data(), [w.length], Float64Array.from(wantW), slack * most.weight);
  });
}
