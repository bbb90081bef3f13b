import fc from "fast-check";
import { expect, it } from "vitest";
import { enlarged } from "../../../studio/src/learn/fullLabels.js";

const side = fc.integer({ min: 1, max: 9 });

/** torch.nn.functional.interpolate(mode="bilinear", align_corners=False) at one place, in float64. */
function bilinear(plane: ArrayLike<number>, [height, width]: [number, number], y: number, x: number): number {
  const clip = (value: number, most: number): number => Math.min(most - 1, Math.max(0, value));
  let sum = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const weight = (at: number, i: number): number => Math.max(0, 1 - Math.abs(at - i));
      sum += weight(clip(y, height), row) * weight(clip(x, width), column) * (plane[row * width + column] as number);
    }
  }
  return sum;
}

it("takes the class whose enlarged probability is the largest, at any size", () => {
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      (h, w, height, width, classes, seed) => {
        let state = seed + 1;
        const random = (): number => {
          state = (state * 16807) % 2147483647;
          return state / 2147483647;
        };
        const values = Float32Array.from({ length: classes * h * w }, random);
        const labels = enlarged({ values, classes, height: h, width: w }, { height, width });
        for (const [i, label] of labels.entries()) {
          const [y, x] = [((Math.floor(i / width) + 0.5) * h) / height - 0.5, (((i % width) + 0.5) * w) / width - 0.5];
          const all = Array.from({ length: classes }, (_, c) =>
            bilinear(values.subarray(c * h * w, (c + 1) * h * w), [h, w], y, x),
          );
          expect(all[label]).toBeGreaterThan(Math.max(...all) - 1e-6);
        }
      },
    ),
  );
});
