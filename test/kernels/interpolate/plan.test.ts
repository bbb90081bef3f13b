import { type InterpolateGeometry, interpolateScale, planInterpolate, planInterpolateBackward } from "@fcn/kernels";
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

const g: InterpolateGeometry = {
  ...{ n: 2, channels: 3, inH: 4, inW: 5, outH: 8, outW: 15, scaleH: 0.5, scaleW: 1 / 3 },
  mode: "bilinear",
  alignCorners: false,
};
const sizes = { channels: 3, inH: 4, inW: 5, outH: 8, outW: 15, scaleH: 0.5, scaleW: 1 / 3 };

describe("the plan of a resampling", () => {
  it("is one step in either direction", () => {
    const place = { begin: 0, fromOrigin: 0, toOrigin: 0 };
    expect(soundSteps(planInterpolate(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "interpolate/forward",
        ...{ BILINEAR: true, ALIGN_CORNERS: false, ...place, count: 720, ...sizes },
        operands: { x: "x", y: "y" },
        grid: [12, 1, 1],
      },
    ]);
    expect(soundSteps(planInterpolateBackward(g, largeDevice), largeDevice).map(outline)).toEqual([
      {
        kernel: "interpolate/backward",
        ...{ BILINEAR: true, ALIGN_CORNERS: false, ...place, count: 120, ...sizes },
        operands: { dy: "dy", dx: "dx" },
        grid: [2, 1, 1],
      },
    ]);
  });

  it("says which kind it is", () => {
    const [step] = planInterpolate({ ...g, mode: "nearest", alignCorners: true }, largeDevice)!.steps;
    expect(step?.constants).toEqual({ BILINEAR: false, ALIGN_CORNERS: true });
  });

  it("folds a grid past 65,535 workgroups", () => {
    const [step] = soundSteps(planInterpolate({ ...g, n: 12_000 }, largeDevice), largeDevice);
    expectGridOver(step!, 12_000 * 360);
  });

  it("does not exist where a row is larger than a binding", () => {
    const wide = { ...g, inW: 2000, outW: 2000 };
    expect(planInterpolate(wide, smallDevice)).toBeUndefined();
    expect(planInterpolateBackward(wide, smallDevice)).toBeUndefined();
  });
});

/** Input rows that an output row reads, by the definition of bilinear resampling. */
function rowsRead(row: number, { inH, scaleH, alignCorners }: InterpolateGeometry): readonly [number, number] {
  const at = alignCorners ? row * scaleH : Math.max(0, (row + 0.5) * scaleH - 0.5);
  const first = Math.min(inH - 1, Math.floor(at));
  return [first, Math.min(inH - 1, first + 1)];
}

describe.each([
  [12, 40, false],
  [40, 12, false],
  [12, 40, true],
  [40, 12, true],
  [30, 1, true],
])("a resampling of %i rows to %i in parts, align corners: %s", (inH, outH, alignCorners) => {
  const scaleH = interpolateScale(inH, outH, undefined, { mode: "bilinear", alignCorners });
  const large: InterpolateGeometry = { ...g, inH, outH, inW: 20, outW: 20, scaleH, scaleW: 1, alignCorners };
  const [inRow, outRow] = [60, 60];

  it("writes every output once and binds the input that it reads", () => {
    const steps = soundSteps(planInterpolate(large, smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(1);
    const ranges = steps.map((step) => {
      const { params } = step;
      const [begin, end] = [scalar(params, "begin"), scalar(params, "begin") + scalar(params, "count")];
      expect([params.fromOrigin, params.toOrigin]).toEqual([originOf(step, "x"), originOf(step, "y")]);
      const [from, to] = boundElements(step, "x", 2 * inH * inRow);
      for (let row = begin / outRow; row < end / outRow; row++) {
        const image = Math.floor(row / outH) * inH;
        for (const read of rowsRead(row % outH, large)) {
          expect((image + read) * inRow).toBeGreaterThanOrEqual(from);
          expect((image + read + 1) * inRow).toBeLessThanOrEqual(to);
        }
      }
      expectGridOver(step, end - begin);
      return [begin, end] as const;
    });
    expectCovered(ranges, 2 * outH * outRow);
  });

  it("writes every gradient once and binds the gradients that flow to it", () => {
    const steps = soundSteps(planInterpolateBackward(large, smallDevice), smallDevice);
    expect(steps.length).toBeGreaterThan(1);
    const ranges = steps.map((step) => {
      const { params } = step;
      const [begin, end] = [scalar(params, "begin"), scalar(params, "begin") + scalar(params, "count")];
      expect([params.fromOrigin, params.toOrigin]).toEqual([originOf(step, "dy"), originOf(step, "dx")]);
      const [from, to] = boundElements(step, "dy", 2 * outH * outRow);
      for (let row = 0; row < 2 * outH; row++) {
        const image = Math.floor(row / outH) * inH;
        const reads = rowsRead(row % outH, large).map((read) => (image + read) * inRow);
        if (!reads.some((at) => at >= begin && at < end)) continue;
        expect(row * outRow).toBeGreaterThanOrEqual(from);
        expect((row + 1) * outRow).toBeLessThanOrEqual(to);
      }
      return [begin, end] as const;
    });
    expectCovered(ranges, 2 * inH * inRow);
  });
});

it("the gradient of one output row flows to each of many input rows, a row at a time", () => {
  const one = { ...g, inH: 4, outH: 1, inW: 200, outW: 200, scaleH: 0, scaleW: 1, alignCorners: true };
  const steps = soundSteps(planInterpolateBackward(one, smallDevice), smallDevice);
  expect(steps.map(({ params }) => params.begin)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((row) => row * 600));
  for (const [i, step] of steps.entries()) {
    const [from, to] = boundElements(step, "dy", 1200);
    expect(from).toBeLessThanOrEqual(Math.floor(i / 4) * 600);
    expect(to).toBe((Math.floor(i / 4) + 1) * 600);
  }
});

describe("the scale of a resampling", () => {
  const bilinear = { mode: "bilinear", alignCorners: false } as const;
  it.each([
    [4, 8, undefined, bilinear, 0.5],
    [4, 9, 2.3, bilinear, 1 / 2.3],
    [5, 9, undefined, { ...bilinear, alignCorners: true }, 0.5],
    [5, 9, 3, { ...bilinear, alignCorners: true }, 0.5],
    [5, 1, undefined, { ...bilinear, alignCorners: true }, 0],
    [5, 2, undefined, { ...bilinear, alignCorners: true }, 4],
    [4, 8, 2.1, { mode: "nearest", alignCorners: false }, 0.5],
    [4, 4, 1.2, { mode: "nearest", alignCorners: false }, 1],
    [4, 9, 2.3, { mode: "nearest", alignCorners: false }, 1 / 2.3],
    [4, 8, 2.1, bilinear, 1 / 2.1],
    [4, 4, 1.2, bilinear, 1 / 1.2],
  ] as const)("from %i to %i with factor %s, %o, is %d", (size, out, factor, kind, scale) => {
    expect(interpolateScale(size, out, factor, kind)).toBe(scale);
  });
});
