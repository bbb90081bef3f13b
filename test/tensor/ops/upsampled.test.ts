import { interpolateScale, type UpsampledGeometry } from "@fcn/kernels";
import { bilinear, crossEntropy as lossReference, upsampled } from "@fcn/kernels/reference";
import {
  argmax,
  bilinearRule,
  type CrossEntropyOptions,
  convTranspose2d,
  createDevice,
  crop,
  croppedRule,
  crossEntropy,
  type Device,
  interpolate,
  interpolateRule,
  type Tensor,
  type Upsampling,
  upsampledArgmax,
  upsampledCrossEntropy,
} from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bilinearKernel } from "../../../packages/fcn/src/models/graph/weights/bilinear.js";
import { gradCheck } from "../../support/gradcheck.js";
import { type Nd, random } from "../../support/nd.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Pair = readonly [number, number];

/** An upsampling by its rule, and by ops that make the map of full size. */
interface Case {
  readonly name: string;
  readonly from: Pair;
  readonly rule: Upsampling;
  readonly full: (x: Tensor) => Tensor;
}

const box = (top: number, left: number, height: number, width: number) => ({ top, left, height, width });

function deconv(from: Pair, stride: number, kernelSize: number, padding: number, cut: ReturnType<typeof box>): Case {
  return {
    name: `${kernelSize}x${kernelSize} stride ${stride}`,
    from,
    rule: croppedRule(bilinearRule(from, { kernelSize, stride, padding }), cut),
    full: (x) => {
      const groups = x.shape[1] as number;
      const { data, shape } = bilinearKernel(groups, 1, kernelSize);
      return crop(convTranspose2d(x, x.device.tensor(data, shape), null, { stride, padding, groups }), cut);
    },
  };
}

const resize = (from: Pair, size: Pair, alignCorners = false): Case => ({
  name: `${from.join("x")} to ${size.join("x")}, corners ${alignCorners}`,
  from,
  rule: interpolateRule(from, { size, alignCorners }),
  full: (x) => interpolate(x, { size, mode: "bilinear", alignCorners }),
});

const CASES: readonly Case[] = [
  deconv([4, 5], 8, 16, 0, box(3, 5, 27, 33)),
  deconv([3, 2], 32, 63, 0, box(31, 0, 60, 41)),
  deconv([5, 4], 2, 4, 1, box(0, 0, 10, 8)),
  deconv([4, 4], 3, 5, 0, box(1, 2, 11, 9)),
  deconv([1, 1], 8, 16, 4, box(0, 0, 8, 8)),
  resize([4, 5], [32, 37]),
  resize([3, 7], [5, 7]),
  resize([4, 5], [29, 33], true),
  resize([1, 3], [9, 1], true),
  resize([2, 1], [64, 3]),
];

const geometryOf = ({ from, size, scale, before, after, clamped }: Upsampling, n: number, channels: number) =>
  ({
    ...{ n, channels, inH: from[0], inW: from[1], outH: size[0], outW: size[1] },
    ...{ scaleH: scale[0], scaleW: scale[1], beforeH: before[0], beforeW: before[1], after, clamped },
  }) satisfies UpsampledGeometry;

const labelsFor = (shape: readonly number[], classes: number, seed: number): Nd => {
  const values = random(shape, seed, 0, classes + 0.5).data.map(Math.floor);
  return { shape, data: values.map((label) => (label === classes ? 255 : label)) };
};

const toLabels = ({ data, shape }: Nd): Tensor => device.tensor(Int32Array.from(data), shape, { dtype: "int32" });

/** The largest deviation as a share of the largest value, or of 1. */
const relativeError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let [off, most] = [0, 1];
  for (let i = 0; i < expected.length; i++) {
    off = Math.max(off, Math.abs(actual[i]! - expected[i]!));
    most = Math.max(most, Math.abs(expected[i]!));
  }
  return off / most;
};

describe.each(CASES)("$name", ({ from, rule, full }) => {
  it.each([
    ["mean", undefined],
    ["sum", [0.5, 2, 0, 1, 3]],
    ["none", [1, 0.25, 2, 1, 1]],
  ] as const)("the loss, %s with weights %o, and its gradient", async (reduction, weights) => {
    const labels = labelsFor([2, ...rule.size], 5, 3);
    const weight = weights && { shape: [5], data: Float64Array.from(weights) };
    const settings = { ignoreIndex: 255, reduction, ...(weight && { weight }) };
    await gradCheck(device, {
      inputs: [random([2, 5, ...from], 1, -3, 3)],
      orders: [[0, 2, 3, 1]],
      seed: 2,
      run: (x) => {
        const own = weights && device.tensor([...weights], [5]);
        return upsampledCrossEntropy(x, toLabels(labels), rule, { reduction, weight: own });
      },
      reference: (x) => lossReference(upsampled(x, geometryOf(rule, 2, 5)), { labels, ...settings }),
    });
  });

  it.each([1, 2, 21, 150])("does with %i classes what the map of full size would", async (classes) => {
    const values = random([2, classes, ...from], classes, -10, 10);
    const labels = toLabels(labelsFor([2, ...rule.size], classes, 4));
    await device.scope(async () => {
      const leaf = () => device.tensor(Float32Array.from(values.data), values.shape, { requiresGrad: true });
      const [own, other] = [leaf(), leaf()];
      const loss = upsampledCrossEntropy(own, labels, rule, { reduction: "sum" });
      const map = full(other);
      const expected = crossEntropy(map, labels, { reduction: "sum" });
      expect(Math.abs((await loss.item()) - (await expected.item()))).toBeLessThanOrEqual(
        1e-5 * Math.max(1, await expected.item()),
      );
      loss.backward();
      expected.backward();
      expect(relativeError(await own.grad!.data(), await other.grad!.data())).toBeLessThanOrEqual(1e-5);
      await expectLabels(upsampledArgmax(own, rule), map);
    });
  });
});

/** Labels are those with the largest score, except where another is as close as rounding. */
async function expectLabels(labels: Tensor, map: Tensor): Promise<void> {
  const [n, classes, h, w] = map.shape as [number, number, number, number];
  const [found, scores] = [await labels.data(), await map.data()];
  const wanted = await argmax(map, { dim: 1 }).data();
  expect(labels.shape).toEqual([n, h, w]);
  const plane = h * w;
  for (let i = 0; i < found.length; i++) {
    const scoreOf = (c: number) => scores[(Math.floor(i / plane) * classes + c) * plane + (i % plane)]!;
    expect(scoreOf(wanted[i]!) - scoreOf(found[i]!)).toBeLessThanOrEqual(2e-5);
  }
}

it("the reference of a resampling is that of interpolate", () => {
  const x = random([1, 2, 3, 4], 5);
  for (const alignCorners of [false, true]) {
    const rule = interpolateRule([3, 4], { size: [17, 9], alignCorners });
    const [own, other] = [upsampled(x, geometryOf(rule, 1, 2)), bilinear(x, 17, 9, alignCorners)];
    expect(relativeError(own.data, other.data)).toBeLessThan(1e-12);
    expect(rule.scale[0]).toBe(interpolateScale(3, 17, undefined, { mode: "bilinear", alignCorners }));
  }
});

it("gives the same bits each time, in as many slices as there are", async () => {
  const rule = bilinearRule([2, 3], { kernelSize: 64, stride: 32 });
  const values = random([1, 4, 2, 3], 6);
  const labels = toLabels(labelsFor([1, ...rule.size], 4, 7));
  const once = () =>
    device.scope(async () => {
      const x = device.tensor(Float32Array.from(values.data), values.shape, { requiresGrad: true });
      const loss = upsampledCrossEntropy(x, labels, rule);
      loss.backward();
      return [...(await loss.data()), ...(await x.grad!.data())];
    });
  expect(await once()).toEqual(await once());
});

it.each([1e2, 1e4, 1e6, 1e8, 1e12, 1e30])(
  "shares of the classes sum to 1 where scores are as large as %d",
  async (most) => {
    for (const { from, rule } of CASES) {
      await device.scope(async () => {
        const values = random([1, 3, ...from], 10, -most, most);
        const x = device.tensor(Float32Array.from(values.data), values.shape, { requiresGrad: true });
        const target = toLabels(labelsFor([1, ...rule.size], 3, 11));
        upsampledCrossEntropy(x, target, rule, { reduction: "sum" }).backward();
        const gradient = await x.grad!.data();
        const cells = from[0] * from[1];
        for (let i = 0; i < cells; i++) {
          const own = [gradient[i]!, gradient[cells + i]!, gradient[2 * cells + i]!];
          const sum = own.reduce((a, b) => a + b);
          expect(Math.abs(sum)).toBeLessThanOrEqual(1e-3 * Math.max(1, ...own.map(Math.abs)));
        }
      });
    }
  },
);

it("gives an image the same gradient alone and in a batch", async () => {
  const rule = bilinearRule([2, 3], { kernelSize: 64, stride: 32 });
  const values = Float32Array.from(random([3, 4, 2, 3], 8).data);
  const labels = Int32Array.from(labelsFor([3, ...rule.size], 4, 9).data);
  const [perImage, pixels] = [values.length / 3, labels.length / 3];
  const gradientOf = (first: number, last: number) =>
    device.scope(async () => {
      const n = last - first;
      const data = values.subarray(first * perImage, last * perImage);
      const x = device.tensor(data, [n, 4, 2, 3], { requiresGrad: true });
      const target = labels.subarray(first * pixels, last * pixels);
      const shape = [n, ...rule.size];
      upsampledCrossEntropy(x, device.tensor(target, shape, { dtype: "int32" }), rule, { reduction: "sum" }).backward();
      return [...(await x.grad!.data())];
    });
  const each = [await gradientOf(0, 1), await gradientOf(1, 2), await gradientOf(2, 3)];
  expect(await gradientOf(0, 3)).toEqual(each.flat());
});

const RULE = interpolateRule([2, 2], { size: [8, 8] });
const lossOf = (x: Tensor, labels: Tensor, options?: CrossEntropyOptions) =>
  upsampledCrossEntropy(x, labels, RULE, options);

it("takes the first of equal scores, and NaN for the largest", async () => {
  await device.scope(async () => {
    const data = Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0);
    const alike = device.tensor(data, [1, 3, 2, 2]);
    expect(new Set(await upsampledArgmax(alike, RULE).data())).toEqual(new Set([0]));
    const diverged = device.tensor(data.fill(Number.NaN, 8), [1, 3, 2, 2]);
    expect(new Set(await upsampledArgmax(diverged, RULE).data())).toEqual(new Set([2]));
  });
});

it("a mean over no pixel is NaN, and ignored pixels have no gradient even from scores that are not finite", async () => {
  await device.scope(async () => {
    const x = device.tensor(new Float32Array(8).fill(Number.NaN), [1, 2, 2, 2], { requiresGrad: true });
    const empty = device.full([1, 8, 8], 255, { dtype: "int32" });
    expect(await lossOf(x, empty).item()).toBeNaN();
    const sum = lossOf(x, empty, { reduction: "sum" });
    expect(await sum.item()).toBe(0);
    sum.backward();
    expect([...(await x.grad!.data())]).toEqual(new Array(8).fill(0));
  });
});

it("a label out of range gives NaN, and the next read names it", async () => {
  const own = await createDevice({ quiet: true });
  const x = own.zeros([1, 2, 2, 2], { requiresGrad: true });
  const labels = Int32Array.from({ length: 64 }, (_, i) => (i === 13 ? 2 : 0));
  const loss = lossOf(x, own.tensor(labels, [1, 8, 8], { dtype: "int32" }));
  loss.backward();
  await expect(loss.item()).rejects.toMatchObject({ code: "label-out-of-range" });
  expect((await x.grad!.data()).some(Number.isNaN)).toBe(true);
  own.destroy();
});

it("refuses what does not fit", () => {
  const x = device.zeros([1, 2, 2, 2]);
  const labels = device.zeros([1, 8, 9], { dtype: "int32" });
  expect(() => lossOf(x, labels)).toThrow("target has shape [1, 8, 9], expected [1, 8, 8]");
  const other = interpolateRule([3, 2], { size: [8, 8] });
  expect(() => upsampledArgmax(x, other)).toThrow("scores have shape [1, 2, 2, 2], but the rule is for 3x2");
  const coarser = interpolateRule([2, 2], { size: [1, 8] });
  expect(() => upsampledArgmax(x, coarser)).toThrow("fewer pixels than cells");
  expect(() => bilinearRule([2, 2], { kernelSize: 16, stride: 4 })).toThrow("kernel [16, 16] for stride [4, 4]");
  expect(() => croppedRule(RULE, box(0, 1, 8, 8))).toThrow("8x8 at (0, 1) does not lie inside 8x8");
  expect(() => lossOf(x, device.zeros([1, 8, 8]))).toThrow("dtype float32");
  const weight = device.zeros([3]);
  expect(() => lossOf(x, device.zeros([1, 8, 8], { dtype: "int32" }), { weight })).toThrow("expected [2]");
});
