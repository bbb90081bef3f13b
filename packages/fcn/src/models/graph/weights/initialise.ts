import { add, type Device, mul, noGrad, type Tensor } from "@fcn/tensor";
import { fnv1a } from "../../../encoding/fnv1a.js";

/** Weight [out, in / groups, kh, kw] and bias [out] of a convolution. */
export interface ConvValues {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** A seed for one parameter, so that its values depend on the net's seed and its own name only (FNV-1a). */
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

/** The shape of a weight: [out, in / groups, kh, kw]. */
type WeightShape = readonly [number, number, number, number];

interface Init {
  readonly weight: (
    device: Device,
    shape: WeightShape,
    fans: { fanIn: number; fanOut: number },
    seed: number,
  ) => Tensor;
  readonly zeroBias: boolean;
}

const INITS = {
  default: {
    weight: (device, shape, { fanIn }, seed) => uniform(device, shape, 1 / Math.sqrt(fanIn), seed),
    zeroBias: false,
  },
  kaiming: {
    weight: (device, shape, { fanOut }, seed) => normal(device, shape, Math.sqrt(2 / fanOut), seed),
    zeroBias: true,
  },
  zeros: { weight: (device, shape) => device.zeros([...shape]), zeroBias: true },
  xavier: {
    weight: (device, shape, { fanIn, fanOut }, seed) => uniform(device, shape, Math.sqrt(6 / (fanIn + fanOut)), seed),
    zeroBias: false,
  },
  lecun: {
    weight: (device, shape, { fanIn }, seed) => uniform(device, shape, Math.sqrt(3 / fanIn), seed),
    zeroBias: true,
  },
} satisfies Record<string, Init>;

/**
 * Initial values of a weight. `default` is PyTorch's (uniform, kaiming with a = sqrt 5); `kaiming` is He's normal over
 * the fan-out, as in torchvision's VGG and ResNet, with a zero bias; `zeros` clears weight and bias; `xavier` is Glorot's
 * uniform; `lecun` is uniform with the variance 1 / fan-in (kaiming with a = 1), with a zero bias, as in torchvision's
 * feature pyramid; `{ deviation }` is a normal distribution.
 */
export type ConvInit = keyof typeof INITS | { readonly deviation: number };

export const INIT_NAMES = Object.keys(INITS);

const normalInit = (deviation: number): Init => ({
  weight: (device, shape, _, seed) => normal(device, shape, deviation, seed),
  zeroBias: false,
});

/** Initial values of a convolution with a weight of the given shape, by the named rule. */
export function convValues(
  device: Device,
  shape: WeightShape,
  rule: ConvInit,
  hasBias: boolean,
  seed: number,
): ConvValues {
  const [out, perGroup, kh, kw] = shape;
  const fans = { fanIn: perGroup * kh * kw, fanOut: out * kh * kw };
  const init: Init = typeof rule === "object" ? normalInit(rule.deviation) : INITS[rule];
  const weight = init.weight(device, shape, fans, seed);
  if (!hasBias) return { weight };
  const bound = 1 / Math.sqrt(fans.fanIn);
  return { weight, bias: init.zeroBias ? device.zeros([out]) : uniform(device, [out], bound, seedFor(seed, "bias")) };
}
