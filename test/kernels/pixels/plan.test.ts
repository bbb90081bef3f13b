import { pixelParts, planCanvas, planPlanes } from "@fcn/kernels";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  expectCovered,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

it("planes of an image that fits are a step each", () => {
  const steps = soundSteps(planPlanes(100, [2, 0], largeDevice), largeDevice);
  expect(steps.map(outline)).toEqual(
    [16, 0].map((shift, c) => ({
      kernel: "pixels/planes",
      ...{ count: 100, source: 0, shift },
      // The second plane begins between the places at which a binding may.
      first: c === 0 ? 0 : 36,
      operands: {
        x: "x",
        table: expect.objectContaining({ byteOffset: 1024 * c, byteLength: 1024 }),
        y: expect.anything(),
      },
      grid: [2, 1, 1],
    })),
  );
});

it("planes that do not fit are cut into parts that cover each once", () => {
  const pixels = 5001;
  const steps = soundSteps(planPlanes(pixels, [0, 1, 2, 3], smallDevice), smallDevice);
  const ranges = steps.map((step) => {
    const begin = originOf(step, "y") + scalar(step.params, "first");
    const own = originOf(step, "x") + scalar(step.params, "source");
    expect(begin % pixels).toBe(own);
    expect(scalar(step.params, "shift")).toBe(8 * Math.floor(begin / pixels));
    expect(originOf(step, "table")).toBe(256 * Math.floor(begin / pixels));
    expectGridOver(step, scalar(step.params, "count"));
    return [begin, begin + scalar(step.params, "count")] as const;
  });
  expectCovered(ranges, 4 * pixels);
});

it("parts of an image cover each pixel once, within the sides of a texture and a binding", () => {
  const side = fc.integer({ min: 1, max: 150 });
  fc.assert(
    fc.property(side, side, fc.integer({ min: 16, max: 128 }), (height, width, mostSide) => {
      const seen = new Uint8Array(height * width);
      for (const part of pixelParts(height, width, mostSide, smallDevice)) {
        expect(Math.max(part.height, part.width)).toBeLessThanOrEqual(mostSide);
        expect(part.height * part.pitch * 4).toBeLessThanOrEqual(smallDevice.bindingLimit);
        expect(part.pitch % 64).toBe(0);
        expect(part.pitch).toBeGreaterThanOrEqual(part.width);
        for (let y = part.top; y < part.top + part.height; y++)
          for (let x = part.left; x < part.left + part.width; x++) seen[y * width + x]!++;
      }
      expect(seen.every((count) => count === 1)).toBe(true);
    }),
  );
  expect(pixelParts(2, 5000, 8192, smallDevice)).toEqual([]);
});

it.each([0, 1, 3] as const)("rows of a canvas come from %i planes, from where each part of them begins", (channels) => {
  const [height, width] = [50, 70];
  for (const part of pixelParts(height, width, width, smallDevice)) {
    const job = { pixels: height * width, above: part.top * width, part, channels, swapped: true };
    const [step] = soundSteps(planCanvas(job, smallDevice), smallDevice) as [Parameters<typeof outline>[0]];
    expectGridOver(step, part.height * width);
    for (let c = 0; c < Math.max(1, channels); c++) {
      const begin = originOf(step, `x${c}`) + scalar(step.params, `first${c}`);
      expect(begin).toBe(c * height * width + part.top * width);
    }
  }
});
