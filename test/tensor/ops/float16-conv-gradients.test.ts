import { type Conv2dGeometry, planConv2dWeightGradient } from "@fcn/kernels";
import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { emptyTensor, runPlan } from "@fcn/tensor/internal";
import { describe, expect, it } from "vitest";
import { apply, geometryOf, sides } from "../../support/convolution.js";
import {
  CONVOLUTIONS,
  DEVICES,
  expectNear,
  expectRounded,
  expectSummed,
  FLOAT16,
  halves,
  nd,
  openDevices,
  tensorOf,
} from "../../support/float16.js";
import { UNIT } from "../../support/half.js";
import { build, type Nd, random } from "../../support/nd.js";

const deviceOf = openDevices();
const GRAD = { requiresGrad: true } as const;
const BOTH = ["forward", "transposed"] as const;

type Direction = (typeof BOTH)[number];

/** The float64 gradients of x, w and b of one direction. */
function gradientsOf(direction: Direction, g: Conv2dGeometry, x: Nd, w: Nd, dy: Nd): Record<"dx" | "dw" | "db", Nd> {
  const isForward = direction === "forward";
  const [larger, smaller] = isForward ? [x, dy] : [dy, x];
  const back = isForward ? reference.convTranspose2d : reference.conv2d;
  return {
    dx: nd(x.shape, back(g, dy.data, w.data)),
    dw: nd(w.shape, reference.conv2dWeightGradient(g, larger.data, smaller.data)),
    db: reference.reduce(dy, [0, 2, 3], false, (values) => values.reduce((a, b) => a + b, 0)),
  };
}

/** Exact halves for both sides of one direction, and a weight and a bias that are no halves. */
function operandsOf(direction: Direction, g: Conv2dGeometry) {
  const { large, small, weight } = sides(g);
  const [from, to] = direction === "forward" ? [large, small] : [small, large];
  return { x: halves(from, 1), w: random(weight, 2), b: random([to[1]!], 3), dy: halves(to, 4) };
}

/** Leaves for x, w and b, of which x is float16. */
const leavesOf = (device: t.Device, { x, w, b }: { readonly x: Nd; readonly w: Nd; readonly b: Nd }) =>
  [tensorOf(device, x, { ...FLOAT16, ...GRAD }), tensorOf(device, w, GRAD), tensorOf(device, b, GRAD)] as const;

/** dx is float16, rounded once; dw and db are float32 sums. */
async function expectGradients(
  [x, w, b]: readonly [t.Tensor, t.Tensor, t.Tensor],
  { dx, dw, db }: Record<"dx" | "dw" | "db", Nd>,
): Promise<void> {
  await expectRounded("dx", x.grad, dx);
  await expectSummed("dw", w.grad, dw);
  await expectSummed("db", b.grad, db);
}

describe.each(Object.keys(DEVICES))("gradients of float16 convolutions on a device with %s", (name) => {
  const device = (): t.Device => deviceOf(name);

  describe.each(BOTH)("%s", (direction) => {
    it.each(Object.entries(CONVOLUTIONS))("%s", async (_, c) => {
      const g = geometryOf(c);
      const operands = operandsOf(direction, g);
      await device().scope(async () => {
        const leaves = leavesOf(device(), operands);
        const y = apply(direction, g, ...leaves);
        expect(y.dtype).toBe("float16");
        y.backward(tensorOf(device(), operands.dy, FLOAT16));
        await expectGradients(leaves, gradientsOf(direction, g, operands.x, operands.w, operands.dy));
      });
    });
  });

  it.each([
    ["relu", "float16", "float16"],
    ["relu6", "float16", "float32"],
    ["relu", "float32", "float16"],
  ] as const)("of %s after a convolution of %s and a residual of %s", async (activation, dtype, other) => {
    const g = geometryOf({ channels: [6, 8], size: [11, 13], kernel: [3, 3], padding: [1, 1] });
    const { x, w, b, dy } = operandsOf("forward", g);
    // Sums beyond both bounds of relu6.
    const more = halves([1, 8, 11, 13], 5, -8, 14);
    await device().scope(async () => {
      const leaves = [
        tensorOf(device(), x, { dtype, ...GRAD }),
        tensorOf(device(), w, GRAD),
        tensorOf(device(), b, GRAD),
      ] as const;
      const residual = tensorOf(device(), more, { dtype: other, ...GRAD });
      const y = t.conv2d(...leaves, { padding: 1, residual, activation });
      expect(y.dtype).toBe(dtype);
      const found = await y.data();
      y.backward(tensorOf(device(), dy));
      const top = activation === "relu6" ? 6 : Number.POSITIVE_INFINITY;
      const passed = nd(
        dy.shape,
        dy.data.map((v, i) => (found[i]! > 0 && found[i]! < top ? v : 0)),
      );
      expect(passed.data.filter((v) => v === 0).length).toBeGreaterThan(300);
      const { dx, dw, db } = gradientsOf("forward", g, x, w, passed);
      if (dtype === "float16") await expectGradients(leaves, { dx, dw, db });
      else await expectSummed("dx", leaves[0].grad, dx);
      await expectNear("the gradient of the residual", residual.grad, other, passed, { each: 0, largest: 0 });
    });
  });

  it("of a convolution, its normalisation, a residual and relu, near those in float32", async () => {
    const shape = [1, 8, 11, 13];
    const small = { w: random([8, 6, 3, 3], 2, -0.1, 0.1), scale: random([8], 3, 0.5, 1.5), shift: random([8], 4) };
    const [mean, variance] = [random([8], 5), random([8], 6, 0.5, 2)];
    // So far from 0 that features in float16 pass relu where those in float32 do.
    const [sizes, signs] = [halves(shape, 7, 8, 9), halves(shape, 8)];
    const more = nd(
      shape,
      sizes.data.map((v, i) => v * Math.sign(signs.data[i]!)),
    );
    const run = (dtype: t.DType) => {
      const [x, residual] = [halves([1, 6, 11, 13], 1), more].map((v) => tensorOf(device(), v, { dtype, ...GRAD }));
      const [w, weight, bias] = Object.values(small).map((v) => tensorOf(device(), v, GRAD)) as [
        t.Tensor,
        t.Tensor,
        t.Tensor,
      ];
      const norm = { weight, bias, runningMean: tensorOf(device(), mean), runningVar: tensorOf(device(), variance) };
      const y = t.conv2d(x!, w, undefined, { padding: 1, norm, residual, activation: "relu" });
      expect(y.dtype).toBe(dtype);
      y.backward(tensorOf(device(), halves(shape, 9)));
      return { features: [x!, residual!], parameters: [w, weight, bias] };
    };
    await device().scope(async () => {
      const [got, want] = [run("float16"), run("float32")];
      const expected = async (x: t.Tensor): Promise<Nd> => nd(x.shape, await x.grad!.data());
      // The features between convolution and normalisation are rounded, and so are their gradients.
      const allowed = { each: UNIT, largest: 2 * UNIT };
      for (const [i, x] of want.features.entries()) {
        await expectNear(`feature ${i}`, got.features[i]!.grad, "float16", await expected(x), allowed);
      }
      for (const [i, x] of want.parameters.entries()) {
        await expectNear(`parameter ${i}`, got.parameters[i]!.grad, "float32", await expected(x), allowed);
      }
    });
  });

  it("of a transposed convolution and the crop after it", async () => {
    const g = geometryOf({ channels: [8, 4], size: [20, 24], kernel: [4, 4], stride: [2, 2], padding: [1, 1] });
    const { x, w, b } = operandsOf("transposed", g);
    const crop = { top: 3, left: 1, height: 12, width: 19 };
    const dy = halves([1, 8, 12, 19], 4);
    const whole = build([1, 8, 20, 24], ([, c, i, j]) => {
      const [row, column] = [i! - crop.top, j! - crop.left];
      const isInside = row >= 0 && row < crop.height && column >= 0 && column < crop.width;
      return isInside ? dy.data[(c! * crop.height + row) * crop.width + column]! : 0;
    });
    await device().scope(async () => {
      const leaves = leavesOf(device(), { x, w, b });
      const y = t.convTranspose2d(...leaves, { stride: 2, padding: 1, crop });
      y.backward(tensorOf(device(), dy, FLOAT16));
      await expectGradients(leaves, gradientsOf("transposed", g, x, w, whole));
    });
  });
});

describe("a weight gradient of float16", () => {
  const device = (): t.Device => deviceOf("the adapter's own limits and features");
  const VARIANTS = ["winograd", "subgroup", "workgroup", "register"] as const;

  // The software adapter compiles some of these kernels slowly, so that there is one tile of each variant.
  it.each([
    ["3x3 of 32 channels", VARIANTS],
    ["odd channels", VARIANTS.slice(1)],
    ["groups, dilation", VARIANTS.slice(1)],
  ])("has the bits of float32 on the same values, in every variant: %s", async (which, variants) => {
    const g = geometryOf(CONVOLUTIONS[which]!);
    const { large, small, weight } = sides(g);
    const [x, dy] = [halves(large, 1), halves(small, 4)];
    await device().scope(async () => {
      for (const variant of variants) {
        // Minimal filtering needs another variant for its products.
        const named = variant === "winograd" ? (["winograd", "register"] as const) : [variant];
        const plan = planConv2dWeightGradient(g, { ...device().capabilities, variants: named });
        expect(plan!.tunable!.tile.variant).toBe(variant);
        const bits = async (options: t.MakeOptions): Promise<number[]> => {
          const dw = emptyTensor(device(), weight);
          const operands = { x: tensorOf(device(), x, options), dy: tensorOf(device(), dy, options), dw };
          runPlan(device(), "weight gradient", plan, operands);
          return Array.from(await dw.data());
        };
        expect([variant, ...(await bits(FLOAT16))]).toEqual([variant, ...(await bits({}))]);
      }
    });
  });

  it("is tuned apart from that of float32", async () => {
    const g = geometryOf({ channels: [8, 8], size: [9, 9], kernel: [3, 3], padding: [1, 1] });
    const operands = operandsOf("forward", g);
    const keys: string[] = [];
    await device().tune(
      () => {
        const leaves = leavesOf(device(), operands);
        apply("forward", g, ...leaves).backward(tensorOf(device(), operands.dy, FLOAT16));
        for (const leaf of leaves) leaf.zeroGrad();
      },
      { onProgress: (_done, _total, { key }) => keys.push(key) },
    );
    const tuned = ["conv2d forward", "conv2d transposed", "conv2d weight gradient"];
    expect(keys.map((key) => key.replace(/ \d.*(?= float16$)/, "")).sort()).toEqual(
      tuned.map((key) => `${key} float16`),
    );
  });

  it("is replayed by captured training steps", async () => {
    const g = geometryOf({ n: 2, channels: [5, 8], size: [9, 9], kernel: [3, 3], padding: [1, 1] });
    const { x, w, b, dy } = operandsOf("forward", g);
    const train = async (captures: boolean): Promise<number[][]> => {
      const parameters = [tensorOf(device(), w, GRAD), tensorOf(device(), b, GRAD)] as const;
      const optimizer = new t.optim.SGD(parameters, { lr: 0.01 });
      const step = (input: t.Tensor, gradient: t.Tensor): t.Tensor => {
        const y = t.conv2d(input, ...parameters, { padding: 1, activation: "relu" });
        y.backward(gradient);
        optimizer.step();
        optimizer.zeroGrad();
        return y.detach();
      };
      const captured = device().capture(step);
      for (let i = 0; i < 4; i++) {
        await device().scope(async () => {
          const input = [
            tensorOf(device(), halves(x.shape, 10 + i), FLOAT16),
            tensorOf(device(), dy, FLOAT16),
          ] as const;
          await (captures ? captured(...input) : step(...input));
        });
      }
      captured.dispose();
      return Promise.all(parameters.map(async (parameter) => Array.from(await parameter.data())));
    };
    await device().scope(async () => {
      const [replayed, run] = [await train(true), await train(false)];
      expect(replayed).toEqual(run);
      expect(run[0]).not.toEqual(Array.from(w.data));
    });
  });
});
