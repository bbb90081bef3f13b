import { type PointwiseRow, pointwise, sourcesOf } from "@fcn/kernels";
import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { geometryOf } from "../../support/convolution.js";
import {
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
import { roundedToHalf, UNIT } from "../../support/half.js";
import { build, type Nd, random } from "../../support/nd.js";
import { type RowName, type Use, uses } from "../../support/pointwise.js";

const deviceOf = openDevices();
const SHAPE = [2, 5, 17, 19];
const GRAD = { requiresGrad: true } as const;
const HALF_GRAD = { ...FLOAT16, ...GRAD } as const;
const EXACT = { each: 0, largest: 0 } as const;

const ROWS = Object.keys(uses) as RowName[];
const isBinary = (name: RowName): boolean => (pointwise[name] as PointwiseRow).arity === 2;
/** Rows without a slope, apart from their steps. */
const isStep = (name: RowName): boolean => sourcesOf(name, "da").length === 0;
const rangeOf = ({ range = [-2, 2] }: Use): readonly [number, number] => range;

const STEP = 1e-6;

/** dy times the slope of a row in a or in b, by a central difference of its float64 reference. */
function slope(name: RowName, { s = 0, t: offset = 0 }: Use, [a, b]: readonly [Nd, Nd], dy: Nd, by: "a" | "b"): Nd {
  const { reference: value } = pointwise[name] as PointwiseRow;
  const [stepA, stepB] = by === "a" ? [STEP, 0] : [0, STEP];
  const data = dy.data.map((v, i) => {
    const at = (sign: number) => value(a.data[i]! + sign * stepA, b.data[i]! + sign * stepB, s, offset);
    return (v * (at(1) - at(-1))) / (2 * STEP);
  });
  return nd(dy.shape, data);
}

describe.each(Object.keys(DEVICES))("float16 gradients on a device with %s", (name) => {
  const device = (): t.Device => deviceOf(name);
  const scoped = (run: () => Promise<void>) => device().scope(run);
  const dy = halves(SHAPE, 99);

  it.each(ROWS.filter(isStep))("of the row %s are 0", (row) =>
    scoped(async () => {
      const x = tensorOf(device(), halves(SHAPE, 1), HALF_GRAD);
      uses[row][0]!.call(x, x).backward(tensorOf(device(), dy, FLOAT16));
      await expectNear("the gradient", x.grad, "float16", nd(SHAPE, new Float64Array(dy.data.length)), EXACT);
    }),
  );

  it.each(ROWS.filter((row) => !isBinary(row) && !isStep(row)))("of the row %s", async (row) => {
    // What is computed from a result that was saved has its rounding too: for a sigmoid, UNIT of at most 1, where the
    // largest slope is 1/4.
    const allowed = sourcesOf(row, "da").includes("y") ? { each: 2 * UNIT, largest: 4 * UNIT } : { each: UNIT };
    for (const use of uses[row]) {
      const a = halves(SHAPE, 1, ...rangeOf(use));
      await scoped(async () => {
        const x = tensorOf(device(), a, HALF_GRAD);
        use.call(x, x).backward(tensorOf(device(), dy, FLOAT16));
        await expectNear("the gradient", x.grad, "float16", slope(row, use, [a, a], dy, "a"), allowed);
      });
    }
  });

  it.each(ROWS.filter(isBinary))("of the row %s, beside float16 and beside float32", async (row) => {
    const [use] = uses[row] as [Use];
    const [a, b] = [halves(SHAPE, 1, ...rangeOf(use)), halves(SHAPE, 2, ...rangeOf(use))];
    for (const dtype of ["float16", "float32"] as const) {
      await scoped(async () => {
        const [x, y] = [tensorOf(device(), a, HALF_GRAD), tensorOf(device(), b, { dtype, ...GRAD })];
        const result = use.call(x, y);
        expect(result.dtype).toBe(dtype);
        result.backward(tensorOf(device(), dy));
        await expectRounded("the gradient of a", x.grad, slope(row, use, [a, b], dy, "a"));
        const each = dtype === "float16" ? UNIT : 0;
        await expectNear("the gradient of b", y.grad, dtype, slope(row, use, [a, b], dy, "b"), { each });
      });
    }
  });

  it("of operands that were broadcast, which sum over what was rounded", async () => {
    const [a, b] = [halves(SHAPE, 1), halves([5, 1, 19], 2)];
    const over = (values: Nd): Nd => {
      const summed = reference.reduce(values, [0, 2], true, (terms) => terms.reduce((sum, v) => sum + v, 0));
      return nd([5, 1, 19], summed.data);
    };
    const spread = build(SHAPE, ([, c, , j]) => b.data[c! * 19 + j!]!);
    const times = (x: Nd, y: Nd) =>
      nd(
        x.shape,
        x.data.map((v, i) => roundedToHalf(v * y.data[i]!)),
      );
    await scoped(async () => {
      for (const [op, want] of [[t.add, over(dy)] as const, [t.mul, over(times(dy, a))] as const]) {
        const [x, y] = [tensorOf(device(), a, HALF_GRAD), tensorOf(device(), b, HALF_GRAD)];
        op(x, y).backward(tensorOf(device(), dy, FLOAT16));
        await expectRounded("the gradient of b", y.grad, want);
        await expectRounded("the gradient of a", x.grad, op === t.add ? dy : times(dy, spread));
      }
    });
  });

  it("of conversions, in the dtype of what was converted", async () => {
    const [a, fine] = [halves(SHAPE, 1), random(SHAPE, 98)];
    await scoped(async () => {
      const [wide, half] = [tensorOf(device(), a, GRAD), tensorOf(device(), a, HALF_GRAD)];
      wide.to("float16").backward(tensorOf(device(), dy, FLOAT16));
      await expectNear("the gradient of float32", wide.grad, "float32", dy, EXACT);
      half.to("float32").backward(tensorOf(device(), fine));
      const rounded = nd(SHAPE, fine.data.map(roundedToHalf));
      await expectNear("the gradient of float16", half.grad, "float16", rounded, EXACT);
    });
  });

  it("of a tensor that is used twice, in ops of both dtypes, and of a leaf in two backward passes", async () => {
    const [a, b] = [halves(SHAPE, 1), random(SHAPE, 2)];
    await scoped(async () => {
      const x = tensorOf(device(), a, HALF_GRAD);
      const step = () => t.add(t.mul(x, 2), t.mul(x, tensorOf(device(), b))).backward(tensorOf(device(), dy));
      step();
      // Each use rounds its part, and their sum is rounded.
      const parts = nd(
        SHAPE,
        dy.data.map((v, i) => 2 * v + roundedToHalf(v * b.data[i]!)),
      );
      await expectNear("the gradient", x.grad, "float16", parts, { each: 2 * UNIT });
      const once = await x.grad!.data();
      step();
      await expectNear(
        "the gradient of two passes",
        x.grad,
        "float16",
        nd(
          SHAPE,
          once.map((v) => 2 * v),
        ),
        EXACT,
      );
    });
  });

  it("of a block around which its input passes, whose parts are added in one pass", async () => {
    const g = geometryOf({ channels: [6, 6], size: [11, 13], kernel: [3, 3], padding: [1, 1] });
    const shape = [1, 6, 11, 13];
    const [a, w, arriving] = [halves(shape, 1), random([6, 6, 3, 3], 2), halves(shape, 4)];
    await scoped(async () => {
      const [x, weight] = [tensorOf(device(), a, HALF_GRAD), tensorOf(device(), w, GRAD)];
      // Not a leaf, so that its gradients meet while backward runs.
      const input = t.neg(x);
      t.add(t.conv2d(input, weight, undefined, { padding: 1 }), input).backward(tensorOf(device(), arriving, FLOAT16));
      const through = reference.convTranspose2d(g, arriving.data, w.data);
      const want = nd(
        shape,
        arriving.data.map((v, i) => -v - through[i]!),
      );
      await expectRounded("dx", x.grad, want);
      const dw = reference.conv2dWeightGradient(g, a.data, arriving.data).map((v) => -v);
      await expectSummed("dw", weight.grad, nd(w.shape, dw));
    });
  });
});
