import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkAugmentation } from "../../../../packages/fcn/src/data/augment/augmentation.js";
import { changeColours } from "../../../../packages/fcn/src/data/augment/colour.js";
import { assertProperty } from "../../../support/property.js";

const FILL = -1000;

/**
 * An image that tells its own coordinates (x, y, 1), with labels that tell them too: the label of a pixel is (x + 3 y)
 * % 250.
 */
function ownCoordinates(height: number, width: number): data.SegmentationSample {
  const values = new Float32Array(height * width * 3);
  const labels = new Uint8Array(height * width);
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    values.set([x, y, 1], 3 * i);
    labels[i] = (x + 3 * y) % 250;
  }
  return {
    name: "own",
    image: { data: values, height, width, channels: 3 },
    labels,
    more: { half: labels.map((v) => v >> 1) },
  };
}

const range = fc
  .tuple(fc.integer({ min: 5, max: 20 }), fc.integer({ min: 0, max: 20 }))
  .map(([a, b]): [number, number] => [a / 10, (a + b) / 10]);
const geometry = fc.record(
  {
    scale: range,
    rotate: fc.integer({ min: 0, max: 180 }),
    mirror: fc.constantFrom(true, false, 1),
    jitter: fc.integer({ min: 0, max: 32 }),
    crop: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
  },
  { requiredKeys: [] },
);
const cases = fc.record({
  height: fc.integer({ min: 2, max: 30 }),
  width: fc.integer({ min: 2, max: 30 }),
  augmentation: geometry,
  key: fc.record({ seed: fc.nat(), epoch: fc.nat({ max: 9 }), index: fc.nat({ max: 99 }) }),
});

describe("augmentSample", () => {
  it("moves the labels exactly as the image: each pixel's label is that of the point which the image shows", async () => {
    let shown = 0;
    await assertProperty(cases, 300, async ({ height, width, augmentation, key }) => {
      const sample = ownCoordinates(height, width);
      const { image, labels, more } = data.augmentSample(sample, { ...augmentation, fill: [FILL, FILL, FILL] }, key);
      expect(labels.length).toBe(image.height * image.width);
      if (augmentation.crop) expect([image.height, image.width]).toEqual(augmentation.crop);
      labels.forEach((label, i) => {
        const [x, y, one] = [image.data[3 * i]!, image.data[3 * i + 1]!, image.data[3 * i + 2]!];
        if (x === FILL) {
          expect([label, more?.half?.[i]]).toEqual([data.VOID_LABEL, data.VOID_LABEL]);
          return;
        }
        shown++;
        expect(one).toBeCloseTo(1, 5);
        // A bilinear value of coordinates is the point itself; on the limit between two pixels either may be the
        // nearest.
        const near = [Math.round(x - 1e-3), Math.round(x + 1e-3)].flatMap((u) =>
          [Math.round(y - 1e-3), Math.round(y + 1e-3)].map((v) => (u + 3 * v) % 250),
        );
        expect(near).toContain(label);
        expect(more?.half?.[i]).toBe(label >> 1);
      });
    });
    expect(shown).toBeGreaterThan(5000);
  });

  it("copies values exactly where only whole pixels move", async () => {
    const still = fc.record({
      mirror: fc.constantFrom(true, 1, false),
      jitter: fc.integer({ min: 0, max: 9 }),
      crop: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    });
    await assertProperty(
      fc.record({
        height: fc.integer({ min: 1, max: 25 }),
        width: fc.integer({ min: 1, max: 25 }),
        augmentation: still,
        seed: fc.nat(),
      }),
      100,
      async ({ height, width, augmentation, seed }) => {
        const sample = ownCoordinates(height, width);
        const { image, labels } = data.augmentSample(
          sample,
          { ...augmentation, fill: [FILL, 0, 0] },
          { seed, epoch: 0, index: 0 },
        );
        labels.forEach((label, i) => {
          const [x, y] = [image.data[3 * i]!, image.data[3 * i + 1]!];
          expect(label).toBe(x === FILL ? data.VOID_LABEL : (x + 3 * y) % 250);
          expect(
            x === FILL || (Number.isInteger(x) && x >= 0 && x < width && Number.isInteger(y) && y >= 0 && y < height),
          ).toBe(true);
        });
      },
    );
  });

  it("mirrors as mirrorSample does, and shifts by the same whole number everywhere", () => {
    const sample = ownCoordinates(7, 9);
    const key = { seed: 1, epoch: 0, index: 0 };
    expect(data.augmentSample(sample, { mirror: 1 }, key)).toEqual(data.mirrorSample(sample));
    expect(data.augmentSample(sample, { mirror: 0 }, key)).toEqual(sample);
    const shifts = new Set<string>();
    for (let index = 0; index < 200; index++) {
      const { image } = data.augmentSample(sample, { jitter: 2, fill: [FILL, FILL, 0] }, { ...key, index });
      const found = new Set<string>();
      for (let i = 0; i < 63; i++) {
        if (image.data[3 * i] !== FILL)
          found.add(`${image.data[3 * i]! - (i % 9)},${image.data[3 * i + 1]! - Math.floor(i / 9)}`);
      }
      expect(found.size).toBe(1);
      shifts.add([...found][0] as string);
    }
    expect(shifts.size).toBe(25);
  });

  it("turns by a right angle exactly, and never beyond the limit", () => {
    const sample = ownCoordinates(9, 9);
    // Angles are drawn up to the limit; look for one close to a right angle in its limit's steps.
    for (let index = 0; index < 50; index++) {
      const { image } = data.augmentSample(sample, { rotate: 30, fill: [FILL, FILL, 0] }, { seed: 5, epoch: 0, index });
      const [x, y] = [image.data[3 * 49]! - image.data[3 * 31]!, image.data[3 * 49 + 1]! - image.data[3 * 31 + 1]!];
      const angle = (Math.atan2(x, y) * 180) / Math.PI;
      expect(Math.abs(angle)).toBeLessThanOrEqual(30.001);
      expect(Math.hypot(x, y)).toBeCloseTo(2, 4);
      expect([image.data[3 * 40], image.data[3 * 40 + 1]]).toEqual([4, 4]);
    }
  });

  it("depends on seed, epoch and index alone; one kind of change does not move another", async () => {
    const all = { mirror: true, jitter: 4, colour: { brightness: 0.3 } };
    const sample = ownCoordinates(12, 12);
    await assertProperty(
      fc.record({ seed: fc.nat(), epoch: fc.nat({ max: 50 }), index: fc.nat({ max: 1000 }) }),
      40,
      async (key) => {
        const once = data.augmentSample(sample, all, key);
        data.augmentSample(sample, { rotate: 3 }, { ...key, index: key.index + 1 });
        expect(data.augmentSample(sample, all, key)).toEqual(once);
        const moved = data.augmentSample(sample, { mirror: true, jitter: 4 }, key);
        expect(once.labels).toEqual(moved.labels);
      },
    );
    const of = (change: Partial<data.SampleKey>) =>
      data.augmentSample(sample, { rotate: 90 }, { seed: 1, epoch: 1, index: 1, ...change });
    for (const change of [{ seed: 2 }, { epoch: 2 }, { index: 2 }]) expect(of(change)).not.toEqual(of({}));
  });

  it("names the option that an unknown one stands for", () => {
    for (const [augmentation, message] of [
      [{ flip: 0.5 }, /"flip"; did you mean "mirror"\?$/],
      [{ horizontalFlip: true }, /did you mean "mirror"\?$/],
      [{ color: {} }, /did you mean "colour"\?$/],
      [{ rotat: 3 }, /did you mean "rotate"\?$/],
      [{ blur: 1 }, /there is no option "blur"$/],
    ] as const) {
      let error: unknown;
      try {
        checkAugmentation(augmentation as object);
      } catch (thrown) {
        error = thrown;
      }
      const fix = "the options are scale, rotate, mirror, jitter, crop, colour, fill";
      expect(error).toMatchObject({ code: "invalid-argument", message: expect.stringMatching(message), fix });
    }
  });

  it("fills with the ImageNet means where nothing else is said", () => {
    const image = { data: new Uint8Array(12).fill(9), height: 1, width: 4, channels: 3 };
    const out = data.augmentSample(
      { name: "a", image, labels: new Uint8Array(4) },
      { crop: [1, 9] },
      { seed: 1, epoch: 0, index: 0 },
    );
    const filled = [...out.labels].map((label, i) => [label, ...out.image.data.subarray(3 * i, 3 * i + 3)]);
    expect(filled.filter(([label]) => label === 255)).toEqual(new Array(5).fill([255, 124, 116, 104]));
    expect(filled.filter(([label]) => label === 0)).toEqual(new Array(4).fill([0, 9, 9, 9]));
  });

  it("leaves the fill as it is where colours change, and nothing else", () => {
    const whole = { data: new Uint8Array(12).fill(90), height: 2, width: 2, channels: 3 };
    const bytes = data.augmentSample(
      { name: "a", image: whole, labels: new Uint8Array(4) },
      { crop: [4, 5], colour: { brightness: 0.5, contrast: 0.5 } },
      { seed: 3, epoch: 0, index: 0 },
    );
    const floats = data.augmentSample(
      { name: "a", image: { ...whole, data: Float32Array.from(whole.data) }, labels: new Uint8Array(4) },
      { crop: [4, 5], colour: { brightness: 0.5, hue: 0.1 }, fill: [7.5, 8, 9] },
      { seed: 3, epoch: 0, index: 0 },
    );
    for (const [{ labels, image }, fill] of [
      [bytes, [124, 116, 104]],
      [floats, [7.5, 8, 9]],
    ] as const) {
      const pixels = [...labels].map((label, i) => [label, ...image.data.subarray(3 * i, 3 * i + 3)] as number[]);
      const inside = pixels.filter(([label]) => label === 0);
      expect(inside).toHaveLength(4);
      expect(inside.every(([, red]) => red !== 90)).toBe(true);
      const outside = pixels.filter(([label]) => label === 255).map(([, ...rgb]) => rgb);
      expect(outside).toEqual(new Array(16).fill(fill.map((value) => value)));
    }
  });

  it.each<[data.Augmentation, string]>([
    [{ flip: true } as never, 'there is no option "flip"'],
    [
      { colour: { contrst: 1 } } as never,
      'augmentation.colour: there is no option "contrst"; did you mean "contrast"?',
    ],
    [{ fill: [Number.NaN] }, "fill is [NaN]"],
    [{ scale: [2, 1] }, "scale is [2,1]"],
    [{ rotate: 181 }, "rotate is 181"],
    [{ mirror: 2 }, "mirror is 2"],
    [{ jitter: 0.5 }, "jitter is 0.5"],
    [{ crop: [0, 5] }, "crop is [0,5]"],
    [{ colour: { hue: 0.6 } }, "hue is 0.6"],
    [{ colour: { contrast: -1 } }, "augmentation.colour: contrast is -1, expected a number from 0 to 1"],
  ])("refuses %j", (augmentation, problem) => {
    const dataset = data.sampleDataset([ownCoordinates(2, 2)], { classes: new Array(10).fill("c"), palette: [] });
    const make = () => new data.DataLoader(dataset, { batchSize: 1, preprocessing: data.IMAGENET_MEAN, augmentation });
    expect(make).toThrowError(TensorError);
    expect(make).toThrowError(problem);
  });
});

describe("changeColours", () => {
  const pixel = (...rgb: number[]) => ({ data: Uint8Array.from(rgb), height: 1, width: rgb.length / 3, channels: 3 });
  const always = (value: number) => () => value;

  it("follows torchvision's formulas", () => {
    // Random 1 gives the upper end of each range.
    expect([...changeColours(pixel(100, 150, 200), { brightness: 0.5 }, always(1)).data]).toEqual([150, 225, 255]);
    expect([...changeColours(pixel(100, 150, 200), { brightness: 0.5 }, always(0)).data]).toEqual([50, 75, 100]);
    const grey = 0.299 * 100 + 0.587 * 150 + 0.114 * 200;
    expect([...changeColours(pixel(100, 150, 200), { saturation: 1 }, always(0)).data]).toEqual(
      [grey, grey, grey].map(Math.round),
    );
    expect([...changeColours(pixel(0, 0, 0, 200, 200, 200), { contrast: 0.5 }, always(0)).data]).toEqual([
      50, 50, 50, 150, 150, 150,
    ]);
    expect([...changeColours(pixel(200, 100, 50), { hue: 0.5 }, always(1)).data]).toEqual([50, 150, 200]);
    expect([...changeColours(pixel(255, 0, 0), { hue: 1 / 3 }, always(1)).data]).toEqual([0, 255, 0]);
    expect([...changeColours(pixel(255, 0, 0), { hue: 1 / 3 }, always(0)).data]).toEqual([0, 0, 255]);
  });

  it("leaves an image alone in the middle of its ranges, and never leaves 0 to 255", async () => {
    const colours = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 });
    const full = { brightness: 1, contrast: 1, saturation: 1, hue: 0.5 };
    await assertProperty(fc.record({ colours, seed: fc.nat() }), 60, async ({ colours, seed }) => {
      expect([...changeColours(pixel(...colours), full, always(0.5)).data]).toEqual(colours);
      const exact = { ...pixel(...colours), data: Float32Array.from(colours) };
      for (const value of changeColours(exact, full, data.createRandom(seed)).data)
        expect(value >= -1e-3 && value <= 255.001).toBe(true);
    });
  });

  it("does not touch a fourth channel, nor images of fewer than three", () => {
    const four = { data: Uint8Array.of(10, 20, 30, 77), height: 1, width: 1, channels: 4 };
    expect(changeColours(four, { brightness: 1 }, always(1)).data[3]).toBe(77);
    const one = { data: Uint8Array.of(10), height: 1, width: 1, channels: 1 };
    expect(changeColours(one, { brightness: 1 }, always(1))).toBe(one);
  });
});
