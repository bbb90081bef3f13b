import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { apply, geometryOf, sides } from "../../support/convolution.js";
import {
  CONVOLUTIONS,
  DEVICES,
  expectRounded,
  FLOAT16,
  halves,
  nd,
  openDevices,
  tensorOf,
} from "../../support/float16.js";
import { build, type Nd, random } from "../../support/nd.js";

const deviceOf = openDevices();

/** Runs an op on float16 tensors: its result is that of the float64 reference, rounded once more to 11 bits. */
async function check(
  device: t.Device,
  inputs: readonly Nd[],
  run: (...inputs: t.Tensor[]) => t.Tensor,
  want: (...inputs: Nd[]) => Nd,
): Promise<void> {
  await device.scope(async () => {
    const y = run(...inputs.map((input) => tensorOf(device, input, FLOAT16)));
    await expectRounded("the result", y, want(...inputs));
  });
}

describe.each(Object.keys(DEVICES))("float16 on a device with %s", (name) => {
  const device = (): t.Device => deviceOf(name);

  describe.each(["forward", "transposed"] as const)("convolution, %s", (direction) => {
    it.each(Object.entries(CONVOLUTIONS))("%s, with the weight in float32", async (_, c) => {
      const g = geometryOf(c);
      const { large, small, weight } = sides(g);
      const [from, to] = direction === "forward" ? [large, small] : [small, large];
      const [w, b] = [random(weight, 2), random([to[1]!], 3)];
      const of = direction === "forward" ? reference.conv2d : reference.convTranspose2d;
      await check(
        device(),
        [halves(from, 1)],
        (x) => apply(direction, g, x, tensorOf(device(), w), tensorOf(device(), b)),
        (x) => nd(to, of(g, x.data, w.data, b.data)),
      );
    });
  });

  it.each([8, 5])("convolution to %i channels with normalisation, residual and activation in one pass", async (c) => {
    const g = geometryOf({ channels: [6, c], size: [11, 13], kernel: [3, 3], padding: [1, 1] });
    const [w, weight, shift, mean] = [random([c, 6, 3, 3], 2), ...[3, 4, 5].map((seed) => random([c], seed))] as [
      Nd,
      Nd,
      Nd,
      Nd,
    ];
    const variance = random([c], 6, 0.5, 2);
    const norm = (y: Nd) =>
      build(y.shape, (i) => {
        const [k, at] = [i[1]!, (i[1]! * 11 + i[2]!) * 13 + i[3]!];
        const scale = weight.data[k]! / Math.sqrt(variance.data[k]! + 1e-5);
        return (y.data[at]! - mean.data[k]!) * scale + shift.data[k]!;
      });
    await check(
      device(),
      [halves([1, 6, 11, 13], 1), halves([1, c, 11, 13], 7)],
      (x, residual) => {
        const [p, ...vectors] = [w, weight, shift, mean, variance].map((values) => tensorOf(device(), values));
        const [scale, bias, runningMean, runningVar] = vectors as [t.Tensor, t.Tensor, t.Tensor, t.Tensor];
        const fused = { norm: { weight: scale, bias, runningMean, runningVar }, residual, activation: "relu" } as const;
        return t.conv2d(x, p!, undefined, { padding: 1, ...fused });
      },
      (x, residual) =>
        reference.epilogue(norm(nd([1, c, 11, 13], reference.conv2d(g, x.data, w.data))), residual, "relu"),
    );
  });

  it.each([8, 5])("batch normalisation by its own statistics, of %i channels", async (c) => {
    const [weight, bias] = [random([c], 2), random([c], 3)];
    await check(
      device(),
      [halves([2, c, 9, 7], 1)],
      (x) => t.batchNorm(x, { weight: tensorOf(device(), weight), bias: tensorOf(device(), bias), training: true }),
      (x) => reference.batchNorm(x, weight, bias, 1e-5),
    );
  });

  it.each([8, 3])("pooling of %i channels", async (c) => {
    const p = { kernel: 3, stride: 2, padding: 1, dilation: 1, ceilMode: true };
    const options = { kernelSize: 3, stride: 2, padding: 1, ceilMode: true };
    const x = [halves([2, c, 11, 14], 1)];
    await check(
      device(),
      x,
      (v) => t.maxPool2d(v, options),
      (v) => reference.maxPool(v, p),
    );
    await check(
      device(),
      x,
      (v) => t.avgPool2d(v, options),
      (v) => reference.avgPool(v, p, true),
    );
  });

  it("resampling", async () => {
    const x = [halves([2, 5, 7, 9], 1)];
    const size = [20, 17] as const;
    for (const alignCorners of [false, true]) {
      await check(
        device(),
        x,
        (v) => t.interpolate(v, { size, mode: "bilinear", alignCorners }),
        (v) => reference.bilinear(v, ...size, alignCorners),
      );
    }
    await check(
      device(),
      x,
      (v) => t.interpolate(v, { size }),
      (v) => reference.nearest(v, ...size),
    );
  });

  it("local response normalisation", async () => {
    const o = { size: 5, alpha: 0.5, beta: 0.75, k: 2 };
    const x = [halves([1, 7, 6, 5], 1)];
    await check(
      device(),
      x,
      (v) => t.localResponseNorm(v, o),
      (v) => reference.localResponseNorm(v, o),
    );
  });

  it("softmax, sums, means, maxima and their places", async () => {
    const x = halves([2, 21, 9, 8], 1);
    const fold = (f: (values: number[]) => number) => (v: Nd) => reference.reduce(v, [1], false, f);
    const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
    await check(
      device(),
      [x],
      (v) => t.softmax(v, { dim: 1 }),
      (v) => reference.softmax(v, 1),
    );
    await check(
      device(),
      [x],
      (v) => t.logSoftmax(v, { dim: 1 }),
      (v) => reference.logSoftmax(v, 1),
    );
    await check(device(), [x], (v) => t.sum(v, { dim: 1 }), fold(total));
    await check(
      device(),
      [x],
      (v) => t.mean(v, { dim: 1 }),
      fold((values) => total(values) / 21),
    );
    await check(
      device(),
      [x],
      (v) => t.max(v, { dim: 1 }),
      fold((values) => Math.max(...values)),
    );
    await device().scope(async () => {
      const v = tensorOf(device(), x, FLOAT16);
      const places = await t.argmax(v, { dim: 1 }).data();
      const want = fold((values) => values.indexOf(Math.max(...values)))(x);
      expect(Array.from(places)).toEqual(Array.from(want.data));
    });
  });

  it("the loss, in float32", async () => {
    const [x, labels] = [halves([2, 5, 4, 3], 1), build([2, 4, 3], ([n, i, j]) => (n! + i! + j!) % 5)];
    await device().scope(async () => {
      const logits = tensorOf(device(), x, FLOAT16);
      const target = device().tensor(Int32Array.from(labels.data), labels.shape, { dtype: "int32" });
      const loss = t.crossEntropy(logits, target);
      expect(loss.dtype).toBe("float32");
      const want = reference.crossEntropy(x, { labels, ignoreIndex: 255, reduction: "mean" });
      expect(await loss.item()).toBeCloseTo(want.data[0]!, 5);
    });
  });

  it("pointwise ops, with broadcasting and with numbers", async () => {
    const [a, b] = [halves([2, 5, 17, 19], 1), halves([5, 1, 19], 2)];
    const each = (v: Nd, f: (value: number) => number): Nd => ({ shape: v.shape, data: v.data.map(f) });
    const both = (f: (a: number, b: number) => number) => (x: Nd, y: Nd) =>
      build(x.shape, ([n, c, i, j]) => f(x.data[((n! * 5 + c!) * 17 + i!) * 19 + j!]!, y.data[c! * 19 + j!]!));
    await check(
      device(),
      [a, b],
      t.add,
      both((x, y) => x + y),
    );
    await check(
      device(),
      [a, b],
      t.mul,
      both((x, y) => x * y),
    );
    await check(
      device(),
      [a],
      (x) => t.add(x, x),
      (x) => each(x, (v) => v + v),
    );
    await check(
      device(),
      [a],
      (x) => t.div(x, 3),
      (x) => each(x, (v) => v / 3),
    );
    await check(device(), [a], t.relu, (x) => each(x, (v) => Math.max(v, 0)));
    await check(device(), [a], t.sigmoid, (x) => each(x, (v) => 1 / (1 + Math.exp(-v))));
    await check(
      device(),
      [a],
      (x) => t.clamp(x, { min: -0.25, max: 0.5 }),
      (x) => each(x, (v) => Math.min(Math.max(v, -0.25), 0.5)),
    );
  });

  it("movement, which changes no value", async () => {
    await device().scope(async () => {
      const shape = [2, 5, 17, 19];
      const wide = tensorOf(device(), halves(shape, 1));
      const moves: readonly ((x: t.Tensor) => t.Tensor)[] = [
        (x) => t.slice(x, [null, [1, 4], [3, 10]]),
        (x) => t.crop(x, { top: 2, left: 3, height: 5, width: 7 }),
        (x) =>
          t.pad(
            x,
            [
              [0, 0],
              [0, 0],
              [1, 2],
              [3, 0],
            ],
            { value: 0.5 },
          ),
        (x) => t.concat([x, t.flip(x, { dims: [1, 3] }), x], { dim: 1 }),
        (x) => x.permute([0, 2, 3, 1]).reshape([-1, 5]),
        (x) => t.maxPool2d(x, { kernelSize: 1, stride: 2 }),
      ];
      for (const move of moves) {
        const [got, want] = [move(wide.to("float16")), move(wide)];
        expect(got.dtype).toBe("float16");
        expect(await got.array()).toEqual(await want.array());
      }
    });
  });
});
