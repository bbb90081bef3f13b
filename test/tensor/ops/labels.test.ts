import { colorize, overlay } from "@fcn/core";
import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../../support/nd.js";
import { assertProperty } from "../../support/property.js";

let whole: t.Device;
let limited: t.Device;
beforeAll(async () => {
  whole = await t.createDevice({ quiet: true, debug: { poison: true } });
  limited = await t.createDevice({ quiet: true, bindingLimit: 4096 });
});
afterAll(() => {
  whole?.destroy();
  limited?.destroy();
});

const int = (min: number, max: number) => fc.integer({ min, max });
const whole32 = (device: t.Device, data: ArrayLike<number>, shape: readonly number[]): t.Tensor =>
  device.tensor(Int32Array.from(data), shape, { dtype: "int32" });
const integers = (shape: readonly number[], seed: number, low: number, high: number): Int32Array =>
  Int32Array.from(random(shape, seed, low, high).data, Math.floor);

/** Labels 0 to count - 1, and now and then one outside: negative, void or far off. */
function labels(size: number, seed: number, count: number): Int32Array {
  const stray = [-1, 255 + count, count, -(2 ** 31), 2 ** 31 - 1];
  const strays = integers([size], seed + 1, 0, 40);
  return integers([size], seed, 0, count).map((label, i) => stray[strays[i]!] ?? label);
}

function counted(target: ArrayLike<number>, prediction: ArrayLike<number>, rows: number, columns: number): number[] {
  const counts = new Array<number>(rows * columns).fill(0);
  for (let i = 0; i < target.length; i++) {
    const [r, c] = [target[i]!, prediction[i]!];
    if (r >= 0 && r < rows && c >= 0 && c < columns) counts[r * columns + c]!++;
  }
  return counts;
}

describe("confusionMatrix", () => {
  it("counts every pair of labels in range exactly, in tables of a workgroup and beyond them", () =>
    assertProperty(
      fc.record({
        classes: fc.constantFrom(1, 2, 21, 30),
        targets: fc.constantFrom(1, 3, 21, 170),
        pixels: int(1, 40_000),
        seed: int(0, 1e6),
      }),
      10,
      async ({ classes, targets, pixels, seed }) => {
        const [target, prediction] = [labels(pixels, seed, targets), labels(pixels, seed + 7, classes)];
        const expected = counted(target, prediction, targets, classes);
        const devices = classes * targets * 4 <= 4096 ? [whole, limited] : [whole];
        for (const device of devices) {
          const found = await device.scope(() =>
            t
              .confusionMatrix(whole32(device, prediction, [pixels]), whole32(device, target, [pixels]), {
                numClasses: classes,
                numTargets: targets,
              })
              .data(),
          );
          expect(Array.from(found)).toEqual(expected);
        }
      },
    ));

  it("takes logits as their largest channel", async () => {
    const shape = [2, 5, 13, 9];
    await whole.scope(async () => {
      const logits = whole.tensor(random(shape, 3).data, shape);
      const target = whole32(whole, labels(2 * 13 * 9, 4, 5), [2, 13, 9]);
      const prediction = await t.argmax(logits, { dim: 1 }).data();
      const counts = t.confusionMatrix(logits, target, { numClasses: 5 });
      expect(counts.shape).toEqual([5, 5]);
      expect(Array.from(await counts.data())).toEqual(counted(await target.data(), prediction, 5, 5));
    });
  });

  it("refuses what it cannot count", async () => {
    await whole.scope(() => {
      const target = whole32(whole, [0, 1], [2]);
      const counts = (prediction: t.Tensor, numClasses = 2) => t.confusionMatrix(prediction, target, { numClasses });
      expect(() => counts(whole32(whole, [0], [1]))).toThrow(/prediction has shape \[1\] \(int32\), target \[2\]/);
      expect(() => counts(whole.zeros([2]))).toThrow(/\(float32\), target \[2\]/);
      expect(() => counts(target, 0)).toThrow(/numClasses is 0/);
      expect(() => t.confusionMatrix(target, whole.zeros([2]), { numClasses: 2 })).toThrow(/dtype float32/);
    });
  });
});

describe("crossEntropy", () => {
  it.each([-1, 3, 254, 256, -(2 ** 31)])("refuses the label %i of three classes", async (label) => {
    await whole.scope(async () => {
      const x = whole.randn([2, 3], { seed: 1 });
      const loss = (target: number[]) => t.crossEntropy(x, whole32(whole, target, [2])).data();
      await expect(loss([0, label])).rejects.toMatchObject({ code: "label-out-of-range" });
      expect((await loss([2, 0]))[0]).toBeGreaterThan(0);
    });
  });
});

describe("paint", () => {
  const palette = Uint8Array.from({ length: 15 }, (_, i) => (i * 37) % 256);
  const words = Int32Array.from({ length: 5 }, (_, i) => {
    const [r, g, b] = palette.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return r | (g << 8) | (b << 16) | (255 << 24);
  });
  const size = [37, 41];
  const pixels = 37 * 41;
  const rgb = Uint8Array.from(integers([pixels * 3], 8, 0, 256));
  const rgba = new Uint8Array(pixels * 4).map((_, i) => (i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i % 4)]!));
  const bytes = (data: t.TypedData): Uint8Array => new Uint8Array(data.buffer);
  const opaque = (colours: Uint8Array): number[] =>
    Array.from({ length: pixels }, (_, i) => [...colours.subarray(3 * i, 3 * i + 3), 255]).flat();

  it.each([0.5, 0.25, 1, 0])("blends as the overlay on the CPU does, share %d", async (alpha) => {
    const classes = integers([pixels], 5, 0, 5);
    const expected = opaque(overlay(rgb, classes, { alpha, palette }));
    for (const device of [whole, limited]) {
      const found = await device.scope(() => {
        const image = device.tensor(new Int32Array(rgba.buffer), size, { dtype: "int32" });
        const colours = whole32(device, words, [5]);
        return t.paint(whole32(device, classes, size), colours, { image, alpha, plain: 0 }).data();
      });
      expect(Array.from(bytes(found))).toEqual(expected);
    }
  });

  it("looks colours up, and leaves labels without one transparent", async () => {
    const classes = integers([pixels], 6, 0, 5);
    const found = await whole.scope(() => t.paint(whole32(whole, classes, size), whole32(whole, words, [5])).data());
    expect(Array.from(bytes(found))).toEqual(opaque(colorize(classes, palette)));
    const stray = await whole.scope(() =>
      t.paint(whole32(whole, [5, -1, 255], [3]), whole32(whole, words, [5])).data(),
    );
    expect(Array.from(stray)).toEqual([0, 0, 0]);
  });

  it("refuses images of another size and floats", async () => {
    await whole.scope(() => {
      const [map, colours] = [whole32(whole, [0, 1], [2]), whole32(whole, words, [5])];
      expect(() => t.paint(map, colours, { image: whole32(whole, [0], [1]) })).toThrow(
        /labels have shape \[2\].*image \[1\]/,
      );
      expect(() => t.paint(whole.zeros([2]), colours)).toThrow(/labels of shape \[2\] has dtype float32/);
      expect(() => t.paint(map, colours, { alpha: 2 })).toThrow(/alpha is 2/);
    });
  });
});
