import { add, type Device, mul, noGrad, type Tensor } from "@fcn/tensor";
import { fnv1a } from "../../../encoding/fnv1a.js";

export const INIT_NAMES = ["default", "kaiming", "zeros", "xavier", "lecun"] as const;

/**
 * Initial values of a convolution.
 *
 * - `default`: PyTorch's (uniform, Kaiming with a = sqrt 5).
 * - `kaiming`: He's normal distribution over the fan-out, as in torchvision's VGG and ResNet; zero bias.
 * - `zeros`: zero weight and bias.
 * - `xavier`: Glorot's uniform distribution.
 * - `lecun`: uniform with variance 1 / fan-in (Kaiming with a = 1), as in torchvision's feature pyramid; zero bias.
 * - `{ deviation }`: a normal distribution.
 */
export type ConvInit = (typeof INIT_NAMES)[number] | { readonly deviation: number };

/** Weight [out, in / groups, kh, kw] and bias [out] of a convolution. */
export interface ConvValues {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** A seed for one parameter (FNV-1a). Its values depend only on the net's seed and its own name. */
export function seedFor(seed: number, name: string): number {
  return fnv1a(Array.from(`${seed}/${name}`, (char) => char.codePointAt(0) ?? 0));
}

/** Uniform values from -bound to bound. */
export function uniform(device: Device, shape: readonly number[], bound: number, seed: number): Tensor {
  return noGrad(() => {
    using unit = device.rand([...shape], { seed });
    using scaled = mul(unit, 2 * bound);
    return add(scaled, -bound);
  });
}

function normal(device: Device, shape: readonly number[], deviation: number, seed: number): Tensor {
  return noGrad(() => {
    using unit = device.randn([...shape], { seed });
    return mul(unit, deviation);
  });
}

/** Initial values of a convolution, with a weight of the given shape. */
export function convValues(
  device: Device,
  shape: readonly [number, number, number, number],
  rule: ConvInit,
  hasBias: boolean,
  seed: number,
): ConvValues {
  const [out, perGroup, kh, kw] = shape;
  const fanIn = perGroup * kh * kw;
  const fanOut = out * kh * kw;
  const bound = 1 / Math.sqrt(fanIn);
  const rules = {
    default: () => uniform(device, shape, bound, seed),
    kaiming: () => normal(device, shape, Math.sqrt(2 / fanOut), seed),
    xavier: () => uniform(device, shape, Math.sqrt(6 / (fanIn + fanOut)), seed),
    zeros: () => device.zeros([...shape]),
    lecun: () => uniform(device, shape, Math.sqrt(3 / fanIn), seed),
  };
  const weight = typeof rule === "object" ? normal(device, shape, rule.deviation, seed) : rules[rule]();
  if (!hasBias) return { weight };
  const zeroBias = rule === "kaiming" || rule === "zeros" || rule === "lecun";
  return { weight, bias: zeroBias ? device.zeros([out]) : uniform(device, [out], bound, seedFor(seed, "bias")) };
}
