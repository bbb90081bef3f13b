import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { stripes } from "../samples.js";

const samples = Array.from({ length: 10 }, (_, i) => stripes(`s${i}`, 4, 2, i % 2));

const names = (seed: number, batches: number): string[] => {
  const sampler = new data.BatchSampler(samples, { batchSize: 4, seed });
  return Array.from({ length: batches }, () => sampler.next().map((sample) => sample.name)).flat();
};

describe("BatchSampler", () => {
  it("gives the same batches for the same seed, and others for another seed", () => {
    const take = (seed: number): data.SegmentationSample[][] => {
      const sampler = new data.BatchSampler(samples, { batchSize: 3, seed });
      return [sampler.next(), sampler.next(), sampler.next()];
    };
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
  });

  it("shows each sample once a pass, in a new order each time", () => {
    const drawn = names(1, 10);
    const passes = [0, 1, 2, 3].map((i) => drawn.slice(i * 10, (i + 1) * 10));
    for (const pass of passes) expect([...pass].sort()).toEqual(samples.map((sample) => sample.name).sort());
    expect(passes[0]).not.toEqual(passes[1]);
  });

  it("mirrors about half of the samples, image and labels together, unless told not to", () => {
    const plain = new Map(samples.map((sample) => [sample.name, sample]));
    const sampler = new data.BatchSampler(samples, { batchSize: 200, seed: 3 });
    let mirrored = 0;
    for (const sample of sampler.next()) {
      const original = plain.get(sample.name) as data.SegmentationSample;
      if (sample === original) continue;
      mirrored++;
      expect(sample).toEqual(data.mirrorSample(original));
    }
    expect(mirrored).toBeGreaterThan(60);
    expect(mirrored).toBeLessThan(140);
    const still = new data.BatchSampler(samples, { batchSize: 50, seed: 3, mirror: false });
    for (const sample of still.next()) expect(sample).toBe(plain.get(sample.name));
  });

  it("refuses to draw from nothing", () => {
    expect(() => new data.BatchSampler([], { batchSize: 4, seed: 1 })).toThrow(/samples.length is 0,/);
    expect(() => new data.BatchSampler(samples, { batchSize: 0, seed: 1 })).toThrow(/batchSize is 0,/);
  });
});

describe("mirrorSample", () => {
  it("turns columns around and is its own inverse", () => {
    const image = { data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), height: 2, width: 3, channels: 2 };
    const sample = { name: "a", image, labels: Uint8Array.of(0, 1, 2, 2, 255, 0) };
    const turned = data.mirrorSample(sample);
    expect([...turned.image.data]).toEqual([5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8]);
    expect([...turned.labels]).toEqual([2, 1, 0, 0, 255, 2]);
    expect(data.mirrorSample(turned)).toEqual(sample);
  });
});

describe("stackSamples", () => {
  const preprocessing = { channelOrder: "bgr", mean: [1, 2, 3], std: [2, 4, 8] } as const;

  it("lays images out as [N, C, H, W], normalised, in the channel order asked for", () => {
    const sample = {
      name: "a",
      image: { data: Uint8Array.of(11, 22, 33, 44, 55, 66), height: 1, width: 2, channels: 3 },
      labels: Uint8Array.of(1, 255),
    };
    const batch = data.stackSamples([sample, sample], preprocessing);
    expect(batch.shape).toEqual([2, 3, 1, 2]);
    const one = [(33 - 1) / 2, (66 - 1) / 2, (22 - 2) / 4, (55 - 2) / 4, (11 - 3) / 8, (44 - 3) / 8];
    expect([...batch.images]).toEqual([...one, ...one]);
    expect([...batch.labels]).toEqual([1, 255, 1, 255]);
  });

  it("stacks extra label maps too, mirrored as the labels are", () => {
    const mapped = samples.map((sample) => ({ ...sample, more: { other: sample.labels.map((label) => 5 - label) } }));
    const sampler = new data.BatchSampler(mapped, { batchSize: 40, seed: 3 });
    const drawn = sampler.next();
    const { labels, more } = data.stackSamples(drawn, preprocessing);
    expect(drawn.filter((sample) => !mapped.includes(sample as (typeof mapped)[0])).length).toBeGreaterThan(5);
    expect(more?.other).toEqual(labels.map((label) => 5 - label));
    expect(data.stackSamples([samples[0]!], preprocessing).more).toBeUndefined();
  });

  it("names the sample whose size does not fit", () => {
    const odd = stripes("odd one", 8, 2, 1);
    expect(() => data.stackSamples([stripes("a", 4, 2, 1), odd], preprocessing)).toThrow(/"odd one" is 8x8x3.*4x4x3/);
    expect(() => data.stackSamples([], preprocessing)).toThrow(/empty/);
    const { image } = odd;
    expect(() => data.stackSamples([{ ...odd, image: { ...image, channels: 2 } }], preprocessing)).toThrow(
      /128 values/,
    );
  });
});

describe("measurePreprocessing", () => {
  it("makes each channel of the samples mean 0 and deviation 1", () => {
    const { images } = data.stackSamples(samples, data.measurePreprocessing(samples));
    for (let c = 0; c < 3; c++) {
      const values = samples.flatMap((_, n) => [...images.slice((n * 3 + c) * 16, (n * 3 + c + 1) * 16)]);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(0, 5);
      expect(variance).toBeCloseTo(1, 5);
    }
  });
});

describe("checkSample", () => {
  it("finds labels outside the classes and lets void pass", () => {
    const sample = stripes("s", 4, 3, 0);
    data.checkSample("test", { ...sample, labels: sample.labels.map((label) => (label === 2 ? 255 : label)) }, 2);
    expect(() => data.checkSample("test", sample, 2)).toThrow(/"s" holds label 2, the net has 2 classes/);
    expect(() => data.checkSample("test", { ...sample, labels: new Uint8Array(3) }, 3)).toThrow(
      /16 labels, 3 were given/,
    );
  });
});
