import {
  type Plan,
  type Pool2dGeometry,
  planAveragePool2d,
  planAveragePool2dBackward,
  planMaxPool2d,
  planMaxPool2dBackward,
  poolOutputSize,
  UNREAD,
  unwritten,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectCovered,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

const g: Pool2dGeometry = {
  ...{ n: 2, channels: 8, inH: 9, inW: 23, outH: 4, outW: 11 },
  ...{ kernelH: 3, kernelW: 2, strideH: 2, strideW: 2, padH: 1, padW: 0, dilationH: 2, dilationW: 3 },
};
const sizes = { inH: 9, inW: 23, outH: 4, outW: 11 };
const window = { kernelH: 3, kernelW: 2, padH: 1, padW: 0 };
const strides = { strideH: 2, strideW: 2 };
const origins = { fromOrigin: 0, toOrigin: 0 };
const odd = { ...g, channels: 3 };

/** The constants of max pooling. */
const windows = { KERNEL_H: 3, KERNEL_W: 2, STRIDE_H: 2, STRIDE_W: 2, DILATION_H: 2, DILATION_W: 3 };

describe("the plan of max pooling", () => {
  it("takes eight elements of a row and four channels a thread", () => {
    expect(soundSteps(planMaxPool2d(g, true, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "pool/max",
        ...{ R: 8, VEC: true, SAVE: true, ...windows },
        ...{ count: 2 * 4 * 2 * 2, lineBegin: 0, lineTiles: 2, channels: 2, lowest: Number.NEGATIVE_INFINITY },
        ...{ ...origins, ...sizes, padH: 1, padW: 0 },
        operands: { x: UNREAD, x4: "x", y: unwritten("y"), y4: "y", index: unwritten("index"), index4: "index" },
        grid: [1, 1, 1],
      },
    ]);
  });

  it("takes single channels where they are not in fours, and saves no index unless asked", () => {
    const [step] = soundSteps(planMaxPool2d(odd, false, largeDevice), largeDevice);
    expect(step).toMatchObject({
      constants: { VEC: false, SAVE: false },
      params: { count: 2 * 4 * 2 * 3, channels: 3 },
      operands: { x: "x", x4: UNREAD, y: "y", index: unwritten("saved index") },
    });
  });

  it("gathers its gradient for the same windows", () => {
    expect(soundSteps(planMaxPool2dBackward(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "pool/max-backward",
        ...{ R: 8, VEC: true, ...windows },
        ...{ count: 2 * 9 * 3 * 2, lineBegin: 0, lineTiles: 3, channels: 2, ...origins, ...sizes, padH: 1, padW: 0 },
        operands: { dy: UNREAD, dy4: "dy", index: UNREAD, index4: "index", dx: unwritten("dx"), dx4: "dx" },
        grid: [2, 1, 1],
      },
    ]);
    expect(planMaxPool2dBackward(odd, largeDevice)?.steps[0]?.operands).toMatchObject({ dy: "dy", dx: "dx" });
  });
});

describe("the plan of average pooling", () => {
  it.each([true, false])("takes an element a thread, counting the padding: %s", (counted) => {
    expect(soundSteps(planAveragePool2d(g, counted, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "pool/average",
        ...{ COUNT_PAD: counted, count: 704, begin: 0, channels: 8 },
        ...{ ...origins, ...sizes, ...window, ...strides },
        operands: { x: "x", y: "y" },
        grid: [11, 1, 1],
      },
    ]);
    expect(soundSteps(planAveragePool2dBackward(g, counted, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "pool/average-backward",
        ...{ COUNT_PAD: counted, count: 3312, begin: 0, channels: 8 },
        ...{ ...origins, ...sizes, ...window, ...strides },
        operands: { dy: "dy", dx: "dx" },
        grid: [52, 1, 1],
      },
    ]);
  });
});

/** Input rows that output row `row` reads, of one image. */
const rowsRead = (row: number, { kernelH, strideH, padH, dilationH, inH }: Pool2dGeometry): number[] =>
  Array.from({ length: kernelH }, (_, k) => row * strideH - padH + k * dilationH).filter((y) => y >= 0 && y < inH);

type Planner = (g: Pool2dGeometry, caps: typeof largeDevice) => Plan | undefined;
const planners: Readonly<Record<string, { plan: Planner; backward?: boolean; tiled?: boolean; others?: string[] }>> = {
  max: { plan: (g, caps) => planMaxPool2d(g, true, caps), tiled: true, others: ["index"] },
  "max, backward": { plan: planMaxPool2dBackward, backward: true, tiled: true },
  average: { plan: (g, caps) => planAveragePool2d(g, true, caps) },
  "average, backward": { plan: (g, caps) => planAveragePool2dBackward(g, true, caps), backward: true },
};

describe.each(Object.entries(planners))("%s pooling", (_, { plan, backward = false, tiled = false, others = [] }) => {
  it("folds a grid past 65,535 workgroups", () => {
    const [step] = soundSteps(plan({ ...g, n: 20_000 }, { ...largeDevice, bindingLimit: 2 ** 31 }), largeDevice);
    expectGridOver(step!, scalar(step!.params, "count"));
  });

  it("does not exist where a row is larger than a binding", () =>
    expect(plan({ ...g, inW: 2000, outW: 1000 }, smallDevice)).toBeUndefined());

  it.each([8, 3])("of %i channels in parts writes each row once and binds what it reads", (channels) => {
    const geometry = { ...g, channels, inH: 31, outH: 15 };
    const { inH, inW, outH, outW } = geometry;
    const [fromName, toName] = backward ? ["dy", "dx"] : ["x", "y"];
    const [fromRow, toRow] = [(backward ? outW : inW) * channels, (backward ? inW : outW) * channels];
    const toRows = backward ? inH : outH;
    const lanes = tiled && channels % 4 === 0 ? 4 : 1;
    const suffix = lanes === 4 ? "4" : "";
    const steps = soundSteps(plan(geometry, smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(2);
    const ranges = steps.map((step) => {
      const { params } = step;
      expect(scalar(params, "fromOrigin") * lanes).toBe(originOf(step, fromName + suffix));
      expect(scalar(params, "toOrigin") * lanes).toBe(originOf(step, toName + suffix));
      for (const name of others) expect(originOf(step, name + suffix)).toBe(originOf(step, toName + suffix));
      const begin = tiled ? scalar(params, "lineBegin") : scalar(params, "begin") / toRow;
      const lines = tiled
        ? scalar(params, "count") / scalar(params, "lineTiles") / (channels / lanes)
        : scalar(params, "count") / toRow;
      const [from, to] = boundElements(step, fromName + suffix, Number.POSITIVE_INFINITY);
      const expectBound = (row: number) => {
        expect(row * fromRow).toBeGreaterThanOrEqual(from);
        expect((row + 1) * fromRow).toBeLessThanOrEqual(to);
      };
      for (let out = 0; out < 2 * outH; out++) {
        const image = Math.floor(out / outH);
        const read = rowsRead(out % outH, geometry).map((y) => image * inH + y);
        if (!backward && out >= begin && out < begin + lines) for (const y of read) expectBound(y);
        if (backward && read.some((y) => y >= begin && y < begin + lines)) expectBound(out);
      }
      expectGridOver(step, scalar(params, "count"));
      expect(lines).toBe(Math.round(lines));
      return [begin, begin + lines] as const;
    });
    expectCovered(ranges, 2 * toRows);
  });
});

it("the gradient of a pooling in parts binds the rows that it reads and no more", () => {
  const plain = { ...g, inH: 31, outH: 16, kernelW: 3, padW: 1, outW: 12, dilationH: 1, dilationW: 1 };
  const row = 12 * 8;
  for (const step of soundSteps(planAveragePool2dBackward(plain, true, smallDevice), smallDevice)) {
    const begin = scalar(step.params, "begin") / (23 * 8);
    const end = begin + scalar(step.params, "count") / (23 * 8);
    const rows = Array.from({ length: 32 }, (_, out) => out).filter((out) =>
      rowsRead(out % 16, plain).some(
        (y) => Math.floor(out / 16) * 31 + y >= begin && Math.floor(out / 16) * 31 + y < end,
      ),
    );
    const [first, last] = [Math.min(...rows), Math.max(...rows)];
    expect(boundElements(step, "dy", 2 * 16 * row)).toEqual([Math.floor((first * row) / 64) * 64, (last + 1) * row]);
  }
});

describe("the output size of a pooling", () => {
  it.each([
    [7, 3, 2, [0, 0], 1, false, 3],
    [8, 3, 2, [0, 0], 1, false, 3],
    [8, 3, 2, [0, 0], 1, true, 4],
    [7, 3, 2, [0, 0], 1, true, 3],
    [8, 3, 2, [1, 1], 1, false, 4],
    [8, 3, 2, [1, 0], 1, false, 4],
    [8, 2, 2, [0, 1], 1, true, 4],
    // The fourth window would begin past the image.
    [5, 2, 3, [0, 1], 1, true, 2],
    [4, 1, 4, [0, 1], 1, true, 1],
    [4, 1, 4, [1, 0], 1, true, 2],
    [9, 3, 1, [0, 0], 2, false, 5],
    [2, 3, 1, [0, 0], 1, false, 0],
  ] as const)("of %i with window %i, stride %i, padding %j, dilation %i, ceil mode %s is %i", (...args) => {
    const [size, kernel, stride, padding, dilation, ceilMode, out] = args;
    expect(poolOutputSize(size, kernel, stride, padding, dilation, ceilMode)).toBe(out);
  });
});
