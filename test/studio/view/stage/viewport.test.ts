import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fitted,
  moved,
  type Size,
  toImage,
  toStage,
  type Viewport,
  zoomed,
} from "../../../../studio/src/view/stage/viewport.js";
import { propertySeed } from "../../../support/property.js";

const size = fc.record({ height: fc.integer({ min: 1, max: 9000 }), width: fc.integer({ min: 1, max: 9000 }) });
const stage = fc.record({ height: fc.integer({ min: 80, max: 2000 }), width: fc.integer({ min: 80, max: 3000 }) });
const coordinate = fc.double({ min: -5000, max: 5000, noNaN: true });
const point = fc.tuple(coordinate, coordinate);
const settings = { seed: propertySeed() };

/** How many CSS pixels of the stage the image covers in each direction. */
function seen({ scale, x, y }: Viewport, image: Size, on: Size): readonly [number, number] {
  const covered = (start: number, side: number, room: number): number =>
    Math.min(room, start + side * scale) - Math.max(0, start);
  return [covered(x, image.width, on.width), covered(y, image.height, on.height)];
}

describe("viewport", () => {
  it("shows the whole image in the middle, as large as the margin allows", () => {
    fc.assert(
      fc.property(size, stage, (image, on) => {
        const { scale, x, y } = fitted(image, on, 16);
        expect(x).toBeCloseTo(on.width - x - image.width * scale, 6);
        expect(y).toBeCloseTo(on.height - y - image.height * scale, 6);
        expect(Math.min(x, y)).toBeCloseTo(16, 6);
      }),
      settings,
    );
  });

  it("keeps the point under the pointer where it is", () => {
    const image = { height: 300, width: 400 };
    const on = { height: 600, width: 800 };
    const from = fitted(image, on);
    const at = [430, 250] as const;
    const before = toImage(from, at);
    const after = toImage(zoomed(from, 1.7, at, image, on), at);
    expect(after[0]).toBeCloseTo(before[0], 9);
    expect(after[1]).toBeCloseTo(before[1], 9);
  });

  it("never loses the image, however it is moved and zoomed", () => {
    fc.assert(
      fc.property(
        size,
        stage,
        fc.array(fc.tuple(point, fc.double({ min: 0.2, max: 5, noNaN: true }))),
        (image, on, by) => {
          let now = fitted(image, on);
          for (const [to, factor] of by) now = moved(zoomed(now, factor, to, image, on), to, image, on);
          for (const [i, side] of [image.width, image.height].entries()) {
            const room = i === 0 ? on.width : on.height;
            const covered = seen(now, image, on)[i] as number;
            expect(covered).toBeGreaterThanOrEqual(0.149 * Math.min(side * now.scale, room));
          }
        },
      ),
      settings,
    );
  });

  it("goes from the stage to the image and back", () => {
    fc.assert(
      fc.property(size, stage, point, (image, on, at) => {
        const viewport = fitted(image, on);
        const back = toStage(viewport, toImage(viewport, at));
        expect(back[0]).toBeCloseTo(at[0], 6);
        expect(back[1]).toBeCloseTo(at[1], 6);
      }),
      settings,
    );
  });
});
