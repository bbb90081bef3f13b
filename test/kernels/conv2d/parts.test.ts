import {
  type Conv2dGeometry,
  type Direction,
  type OperandPart,
  planConv2d,
  planConv2dWeightGradient,
  UNREAD,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectCovered,
  expectGridOver,
  originOf,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";
import { depthwise, g } from "./geometries.js";

/** Rows of the side that is read which row `row` of the side that is written needs, of one image. */
function rowsRead(
  row: number,
  { kernelH, strideH, padH, dilationH, inH, outH }: Conv2dGeometry,
  direction: Direction,
): number[] {
  const taps = Array.from({ length: kernelH }, (_, k) => k * dilationH);
  if (direction === "forward") return taps.map((tap) => row * strideH - padH + tap).filter((y) => y >= 0 && y < inH);
  return taps.map((tap) => (row + padH - tap) / strideH).filter((y) => Number.isInteger(y) && y >= 0 && y < outH);
}

const large = { ...g, inH: 21, outH: 11, inW: 21, outW: 21 };
const wide = { ...large, dilationH: 3, padH: 3, inW: 14, outW: 14 };
const variants = {
  plain: large,
  odd: { ...large, inC: 3, outC: 5 },
  dilated: wide,
  depthwise: { ...wide, outC: 8, groups: 8 },
};

describe.each(Object.entries(variants))("operands larger than a binding, %s:", (_, o) => {
  it.each(["forward", "transposed"] as const)("%s writes each row once and binds what it reads", (direction) => {
    const [from, to] =
      direction === "forward"
        ? [
            [o.inC, o.inH, o.inW],
            [o.outC, o.outH, o.outW],
          ]
        : [
            [o.outC, o.outH, o.outW],
            [o.inC, o.inH, o.inW],
          ];
    const [fromRow, toRow] = [from[0]! * from[2]!, to[0]! * to[2]!];
    const steps = soundSteps(planConv2d(o, direction, true, smallDevice), smallDevice).filter(
      ({ kernel, constants }) => kernel.name !== "conv2d/pack-weight" && !constants?.ACCUMULATE,
    );
    expect(steps.length).toBeGreaterThan(1);
    const single = o.groups > 1;
    const ranges = steps.map((step) => {
      const { params, constants } = step;
      const lanes = single && constants?.VEC ? 4 : 1;
      const name = (id: string, vector: unknown) => (vector ? `${id}4` : id);
      const [x, y] = single
        ? [name("x", constants?.VEC), name("y", constants?.VEC)]
        : [name("x", constants?.VEC_IN), name("y", constants?.VEC_OUT)];
      expect([scalar(params, "xOrigin") * lanes, scalar(params, "yOrigin") * lanes]).toEqual([
        originOf(step, x),
        originOf(step, y),
      ]);
      if (!single) {
        const pixels = scalar(params, "mEnd") - scalar(params, "mBegin");
        expect(params.mTiles).toBe(Math.ceil(pixels / 8));
      }
      const perStep = direction === "transposed" && !single ? o.strideH : 1;
      const gridRows = Math.ceil(to[1]! / perStep);
      const rows = (at: number) => Math.floor(at / gridRows) * to[1]! + Math.min(to[1]!, (at % gridRows) * perStep);
      const begin = single ? scalar(params, "lineBegin") : rows(scalar(params, "mBegin") / scalar(params, "gridW"));
      const lines = single
        ? scalar(params, "count") / scalar(params, "lineTiles") / scalar(params, "phases") / scalar(params, "channels")
        : rows(scalar(params, "mEnd") / scalar(params, "gridW")) - begin;
      const [first, last] = boundElements(step, x, Number.POSITIVE_INFINITY);
      const [firstTo, lastTo] = boundElements(step, y, Number.POSITIVE_INFINITY);
      expect(begin * toRow).toBeGreaterThanOrEqual(firstTo);
      expect((begin + lines) * toRow).toBeLessThanOrEqual(lastTo);
      for (let row = begin; row < begin + lines; row++) {
        const image = Math.floor(row / to[1]!) * from[1]!;
        for (const read of rowsRead(row % to[1]!, o, direction)) {
          expect((image + read) * fromRow).toBeGreaterThanOrEqual(first);
          expect((image + read + 1) * fromRow).toBeLessThanOrEqual(last);
        }
      }
      return [begin, begin + lines] as const;
    });
    expectCovered(ranges, 2 * to[1]!);
  });

  it("the weight gradient reads each line once", () => {
    const plan = planConv2dWeightGradient(o, smallDevice);
    const steps = soundSteps(plan, smallDevice).filter(({ params }) => params.lineBegin !== undefined);
    const firstRows = steps.filter(({ params }) => !params.rowBegin);
    expectCovered(
      firstRows.map(({ params }) => [scalar(params, "lineBegin"), scalar(params, "lineEnd")] as const),
      2 * o.outH,
    );
  });
});

it("a transposed convolution binds the rows that its windows reach and no others", () => {
  // A row is 64 elements, as parts are aligned, and fifteen of them fit.
  const o = { ...g, n: 1, inC: 4, outC: 4, inH: 30, outH: 30, inW: 16, outW: 16, kernelW: 3, dilationW: 1, strideH: 1 };
  const steps = soundSteps(planConv2d(o, "transposed", true, smallDevice), smallDevice);
  expect(steps.length).toBeGreaterThan(1);
  for (const step of steps) {
    const [begin, end] = boundElements(step, "y4", Number.NaN).map((element) => element / 64) as [number, number];
    const rows = boundElements(step, "x4", Number.NaN).map((element) => element / 64);
    expect(rows).toEqual([Math.max(0, begin - 1), Math.min(30, end + 1)]);
  }
});

describe("a weight larger than a binding", () => {
  const heavy = { ...g, n: 1, inC: 16, outC: 16, inH: 3, outH: 2, inW: 3, outW: 3 };

  it("is read where it lies in sixteen rows at a time, which are added", () => {
    const steps = soundSteps(planConv2d(heavy, "forward", true, smallDevice), smallDevice);
    expect(
      steps.map(({ constants, params, operands }) => [
        constants?.ACCUMULATE,
        constants?.HAS_BIAS,
        params.rowBegin,
        params.rowEnd,
        operands.bias,
      ]),
    ).toEqual([
      [false, true, 0, 64, "b"],
      [true, false, 64, 96, UNREAD],
    ]);
    expect(steps.map(({ operands }) => operands.w)).toEqual([
      { operand: "w", byteOffset: 0, byteLength: 4096 },
      { operand: "w", byteOffset: 4096, byteLength: 2048 },
    ]);
  });

  it("that is a multiple of what fits has no empty part", () => {
    const steps = soundSteps(planConv2d({ ...heavy, kernelH: 4 }, "forward", true, smallDevice), smallDevice);
    expect(steps.map(({ params }) => params.rowEnd)).toEqual([64, 128]);
  });

  it("is read by column in whole taps", () => {
    const steps = soundSteps(planConv2d(heavy, "transposed", true, smallDevice), smallDevice);
    expect(steps.map(({ params }) => [params.rowBegin, params.rowEnd, params.wOrigin])).toEqual([
      [0, 48, 0],
      [48, 96, 768],
    ]);
    for (const step of steps) expect(originOf(step, "w")).toBe(step.params.wOrigin);
  });

  it("is packed in whole taps", () => {
    const steps = soundSteps(planConv2d({ ...heavy, outC: 14 }, "forward", true, smallDevice), smallDevice);
    const names = steps.map(({ kernel }) => kernel.name.replace("conv2d/", ""));
    expect(names).toEqual(["pack-weight", "gather-register", "pack-weight", "gather-register"]);
    const [first, , second] = steps;
    expect(first?.params).toMatchObject({ tapBegin: 0, count: 3 * 16 * 4, origin: 0 });
    expect(second?.params).toMatchObject({ tapBegin: 3, count: 3 * 16 * 4, origin: originOf(second!, "w") });
    expect(originOf(second!, "w")).toBe(Math.floor((3 * 224) / 64) * 64);
    expect([steps[1], steps[3]].map((step) => [step?.params.rowBegin, step?.params.rowEnd])).toEqual([
      [0, 48],
      [48, 96],
    ]);
  });

  it.each([
    [32, 22, 1, 768],
    [12, 14, 5, 192],
  ])("of %i x %i channels is packed %i taps at a time", (inC, outC, perPart, packedTap) => {
    const plan = planConv2d({ ...heavy, inC, outC }, "forward", true, smallDevice);
    const [packs, gathers] = ["pack-weight", "gather-register"].map((name) =>
      soundSteps(plan, smallDevice).filter(({ kernel }) => kernel.name === `conv2d/${name}`),
    );
    expect(packs!.every(({ operands }) => (operands.w as OperandPart).operand === "w")).toBe(true);
    const taps = (step: (typeof packs & object)[0]) => [scalar(step.params, "rowBegin"), scalar(step.params, "rowEnd")];
    expectCovered(
      gathers!.map((step) => taps(step).map((row) => row / inC) as [number, number]),
      6,
    );
    expect(gathers).toHaveLength(Math.ceil(6 / perPart));
    expect(plan?.scratch).toEqual({ packed: perPart * packedTap * 4 });
  });

  it("has no plan where a tap or a row is larger than a binding", () => {
    const huge = { ...heavy, inC: 64, outC: 62 };
    expect(planConv2d(huge, "forward", true, smallDevice)).toBeUndefined();
    expect(planConv2d({ ...huge, outC: 64 }, "transposed", true, smallDevice)).toBeUndefined();
    for (const o of [
      { ...g, inW: 2000 },
      { ...depthwise, inW: 2000 },
    ]) {
      expect(planConv2d(o, "forward", true, smallDevice)).toBeUndefined();
      expect(planConv2d(o, "transposed", true, smallDevice)).toBeUndefined();
      expect(planConv2dWeightGradient(o, smallDevice)).toBeUndefined();
    }
  });

  it("whose gradient just fits has it whole, and none where no tile of rows fits", () => {
    const [step, ...rest] = planConv2dWeightGradient({ ...heavy, kernelH: 2 }, smallDevice)!.steps;
    expect(step?.operands.dw).toBe("dw");
    expect(rest).toEqual([]);
    expect(planConv2dWeightGradient({ ...heavy, outC: 200 }, smallDevice)).toBeUndefined();
  });

  it("of a single row has a gradient", () => {
    const one = { ...g, inC: 1, kernelH: 1, kernelW: 1 };
    expect(soundSteps(planConv2dWeightGradient(one, smallDevice), smallDevice)[0]?.operands.dw).toBeDefined();
  });

  it.each([12, 16])("has its gradient of %i channels in parts of whole tiles of rows", (outC) => {
    const plan = planConv2dWeightGradient({ ...heavy, inC: 32, outC }, smallDevice);
    const steps = soundSteps(plan, smallDevice);
    expectCovered(
      steps.map((step) => {
        expect(step.params.dwOrigin).toBe(originOf(step, "dw"));
        expect(originOf(step, "dw")).toBe(Math.floor((scalar(step.params, "rowBegin") * outC) / 64) * 64);
        const rows = scalar(step.params, "rowEnd") - scalar(step.params, "rowBegin");
        expect(step.params.mTiles).toBe(Math.ceil(rows / 8));
        return [scalar(step.params, "rowBegin"), scalar(step.params, "rowEnd")] as const;
      }),
      192,
    );
    expect(steps.length).toBeGreaterThan(1);
    for (const step of steps) expectGridOver(step, scalar(step.params, "tiles"));
  });
});

describe("a weight gradient over parts of its operands", () => {
  it.each(["groups", "depthwise"])("writes a slice for each split of each part, %s", (kind) => {
    const single = kind === "depthwise";
    const o = { ...large, inC: 4, outC: 4, groups: single ? 4 : 2, inW: 30, outW: 30 };
    const plan = planConv2dWeightGradient(o, smallDevice);
    const steps = soundSteps(plan, smallDevice);
    const elements = 6 * o.outC * (single ? 1 : 2);
    const parts = steps.slice(0, -1);
    const { slices } = steps.at(-1)!.params as { slices: number };
    expect(parts.length).toBeGreaterThan(1);
    expect(slices % parts.length).toBe(0);
    expect(plan?.scratch).toEqual({ slices: slices * elements * 4 });
    const base = single
      ? parts.map(({ params }) => scalar(params, "base"))
      : parts.map(({ params }) => 0 - scalar(params, "dwOrigin"));
    const perPart = slices / parts.length;
    expect(perPart).toBeGreaterThan(1);
    for (const step of parts) {
      const { lineBegin, lineEnd, linesPerSplit, xOrigin, dyOrigin } = step.params as Record<string, number>;
      expect(linesPerSplit).toBe(Math.ceil((lineEnd! - lineBegin!) / perPart));
      const lanes = single ? 4 : 1;
      const origins = single ? ["x4", "dy4"] : ["x", "dy"];
      expect([xOrigin! * lanes, dyOrigin! * lanes]).toEqual(origins.map((name) => originOf(step, name)));
    }
    expect(base).toEqual(parts.map((_, i) => (i * perPart * elements) / (single ? 4 : 1)));
    expect(plan!.scratch!.slices).toBeLessThanOrEqual(smallDevice.bindingLimit);
  });

  it.each([2, 20])("adds to the gradient in place where slices of every part are too large, groups of %i", (groups) => {
    const o = { ...large, inC: 20, outC: 20, groups, kernelW: 3, dilationW: 1, strideH: 1, inH: 40, outH: 40 };
    const steps = soundSteps(planConv2dWeightGradient({ ...o, padH: 1, inW: 6, outW: 6 }, smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(2);
    expect(steps.map(({ constants }) => constants?.ACCUMULATE)).toEqual(
      steps.map(({ params }) => scalar(params, "lineBegin") > 0),
    );
    for (const step of steps) expect(step.params.dwOrigin ?? step.params.base).toBe(originOf(step, "dw"));
  });
});
