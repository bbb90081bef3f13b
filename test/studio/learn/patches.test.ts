import fc from "fast-check";
import { expect, it } from "vitest";
import { type Lesson, Patches } from "../../../studio/src/learn/patches.js";

const VOID = 255;
const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** An image whose red, green and blue tell where a pixel is and which class it has. */
function lesson(height: number, width: number, painted: ReadonlyMap<number, number>): Lesson {
  const labels = new Uint8Array(height * width).fill(VOID);
  for (const [pixel, label] of painted) labels[pixel] = label;
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return i % 3 === 0 ? labels[pixel]! : i % 3 === 1 ? pixel % width : Math.floor(pixel / width);
  });
  return { image: { data, height, width, channels: 3 }, labels };
}

const size = fc.integer({ min: 1, max: 60 });

it("every patch holds a pixel of the class whose turn it is, with the image beneath it", () => {
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer({ min: 8, max: 40 }),
      fc.infiniteStream(fc.nat()),
      (height, width, side, random) => {
        const any = (most: number): number => (random.next().value as number) % most;
        const pixels = height * width;
        const painted = new Map([
          [any(pixels), 4],
          [any(pixels), 2],
        ]);
        const patches = new Patches({ side, count: 6, augment: false, preprocessing, seed: any(1000) });
        patches.lessons = [lesson(height, width, painted)];
        const { images, labels, shape } = patches.next();
        expect(shape).toEqual([6, 3, side, side]);
        const classes = [...new Set(painted.values())];
        const area = side * side;
        for (let n = 0; n < 6; n++) {
          const own = labels.subarray(n * area, (n + 1) * area);
          const found = new Set(own.filter((label) => label !== VOID));
          expect(classes.length === 1 || found.size > 0).toBe(true);
          for (const [i, label] of own.entries()) if (label !== VOID) expect(images[n * 3 * area + i]).toBe(label);
        }
        const first = (n: number) => new Set(labels.subarray(n * area, (n + 1) * area));
        const turn = [...new Set([...lesson(height, width, painted).labels])].filter((label) => label !== VOID);
        for (let n = 0; n < 6; n++) expect(first(n).has(turn[n % turn.length]!)).toBe(true);
      },
    ),
  );
});

it("patches that are changed at random hold a pixel to learn from too, and differ", () => {
  const painted = new Map(Array.from({ length: 90 }, (_, i) => [(i % 3) * 64 + Math.floor(i / 3), 1] as const));
  const patches = new Patches({ side: 32, count: 64, augment: true, preprocessing, seed: 3 });
  patches.lessons = [lesson(64, 64, painted)];
  const { images, labels } = patches.next();
  const area = 32 * 32;
  const texts = new Set<string>();
  for (let n = 0; n < 64; n++) {
    expect(labels.subarray(n * area, (n + 1) * area).includes(1)).toBe(true);
    texts.add(images.subarray(n * 3 * area, (n + 1) * 3 * area).join());
  }
  expect(texts.size).toBe(64);
});

it("the same seed gives the same patches, and another one others", () => {
  const make = (seed: number): string => {
    const patches = new Patches({ side: 16, count: 4, augment: true, preprocessing, seed });
    patches.lessons = [
      lesson(
        40,
        50,
        new Map([
          [77, 0],
          [1900, 1],
        ]),
      ),
    ];
    return [patches.next(), patches.next()].map(({ images, labels }) => `${images}${labels}`).join();
  };
  expect(make(1)).toBe(make(1));
  expect(make(1)).not.toBe(make(2));
});

it("is empty until something is painted", () => {
  const patches = new Patches({ side: 16, count: 1, augment: true, preprocessing, seed: 1 });
  expect(patches.isEmpty).toBe(true);
  patches.lessons = [lesson(8, 8, new Map())];
  expect(patches.isEmpty).toBe(true);
  patches.lessons = [lesson(8, 8, new Map([[0, 0]]))];
  expect(patches.isEmpty).toBe(false);
});
