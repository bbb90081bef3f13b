import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lossSamplingRule } from "../../../../packages/fcn/src/training/loss/lossSampling.js";
import { propertySeed } from "../../../support/property.js";
import { stripes } from "../../data/samples.js";

const VOID = fcn.data.VOID_LABEL;

describe("sampleLabels", () => {
  it("has exactly the expectation of the whole: the sum over all outcomes, each with its probability", () => {
    const probability = 0.3;
    const labels = Int32Array.of(0, 1, 2, 1, 0, 2);
    const losses = [0.5, 2, 0.25, 7, 1, 3];
    let expectation = 0;
    for (let outcome = 0; outcome < 2 ** labels.length; outcome++) {
      // The source that keeps the cells whose bit is set.
      let drawn = 0;
      const source = (): number => ((outcome >> drawn++) & 1 ? probability / 2 : (1 + probability) / 2);
      const kept = fcn.sampleLabels(labels, [2, 3], { probability }, source);
      const chance = Array.from(kept, (label) => (label === VOID ? 1 - probability : probability)).reduce(
        (a, b) => a * b,
      );
      const loss = Array.from(kept, (label, i) => (label === VOID ? 0 : (losses[i] ?? 0))).reduce((a, b) => a + b);
      expectation += (chance * loss) / probability;
    }
    expect(expectation).toBeCloseTo(
      losses.reduce((a, b) => a + b),
      10,
    );
  });

  it("keeps whole cells or none, changes no label that it keeps, and repeats itself", () => {
    const sizes = fc.record({
      images: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
      cell: fc.integer({ min: 1, max: 4 }),
      probability: fc.double({ min: 0.05, max: 1, noNaN: true }),
      seed: fc.nat(1000),
    });
    const property = fc.property(sizes, ({ images, height, width, cell, probability, seed }) => {
      const labels = Int32Array.from({ length: images * height * width }, (_, i) => (i * 7) % 20);
      const draw = () => fcn.sampleLabels(labels, [height, width], { probability, cell }, fcn.data.createRandom(seed));
      const kept = draw();
      expect(draw()).toEqual(kept);
      const byCell = new Map<string, Set<boolean>>();
      kept.forEach((label, i) => {
        if (label !== VOID) expect(label).toBe(labels[i]);
        const [y, x] = [Math.floor((i % (height * width)) / width), i % width];
        const key = [Math.floor(i / (height * width)), Math.floor(y / cell), Math.floor(x / cell)].join();
        byCell.set(key, (byCell.get(key) ?? new Set()).add(label !== VOID));
      });
      for (const outcomes of byCell.values()) expect(outcomes.size).toBe(1);
    });
    fc.assert(property, { seed: propertySeed(), numRuns: 60 });
  });

  it("keeps the share that it is asked for, and all with probability 1", () => {
    const labels = new Int32Array(40_000).fill(3);
    const kept = (probability: number): number =>
      fcn.sampleLabels(labels, [200, 200], { probability }, fcn.data.createRandom(5)).filter((l) => l === 3).length;
    // Four standard deviations of 40000 draws.
    expect(Math.abs(kept(0.25) / 40_000 - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 40_000));
    expect(kept(1)).toBe(40_000);
  });

  it("draws once for each cell, row by row and image by image", () => {
    // Two images of 3 x 5 pixels have two rows of three cells each.
    const draws = [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0];
    let drawn = 0;
    const source = () => 1 - (draws[drawn++] ?? 0);
    const kept = fcn.sampleLabels(new Int32Array(30).fill(1), [3, 5], { probability: 0.5, cell: 2 }, source);
    expect(drawn).toBe(12);
    const rows = Array.from({ length: 6 }, (_, y) =>
      Array.from(kept.subarray(5 * y, 5 * y + 5), (label) => (label === VOID ? "." : "x")).join(""),
    );
    expect(rows).toEqual(["..xxx", "..xxx", "....x", "xx...", "xx...", "xxxx."]);
  });

  it("leaves out a cell whose number is the probability itself", () => {
    const kept = (number: number): Int32Array =>
      fcn.sampleLabels(Int32Array.of(1), [1, 1], { probability: 0.5 }, () => number);
    expect([kept(0.5), kept(0.4999)]).toEqual([Int32Array.of(VOID), Int32Array.of(1)]);
  });

  it("refuses settings out of range", () => {
    const sample = (sampling: fcn.LossSampling) => () =>
      fcn.sampleLabels(new Int32Array(4), [2, 2], sampling, Math.random);
    expect(sample({ probability: 0 })).toThrow(/^sampleLabels: lossSampling is \{"probability":0\}, /);
    expect(sample({ probability: 1.5 })).toThrow(/"probability":1.5/);
    expect(sample({ probability: 0.5, cell: 0.5 })).toThrow(/"cell":0.5/);
  });
});

describe("the rule of lossSampling", () => {
  const holds = (...values: unknown[]): boolean[] => values.map((value) => lossSamplingRule.holds(value));

  it("takes a probability above 0 and at most 1, and a cell of whole pixels", () => {
    const cells = [1, 32].map((cell) => ({ probability: 0.5, cell }));
    expect(holds({ probability: 1e-3 }, { probability: 1 }, ...cells)).toEqual([true, true, true, true]);
    const bad = [0, -1, 1.5].map((cell) => ({ probability: 0.5, cell }));
    expect(holds({ probability: 0 }, { probability: -1 }, { probability: 1.01 }, ...bad)).toEqual(Array(6).fill(false));
    expect(holds(undefined, null, {}, { cell: 2 }, 0.5)).toEqual(Array(5).fill(false));
  });
});

describe("train with lossSampling", () => {
  it("costs on average what the whole image costs, and repeats itself with one seed", async () => {
    using device = await createDevice({ quiet: true });
    const data = [stripes("stripes", 32, 2, 3)];
    const run = async (seed: number): Promise<number[]> => {
      using model = fcn.models.create("fcn32s-small", device, {
        numClasses: 2,
        widthMultiplier: 0.125,
        batchNorm: false,
      });
      const { losses } = await fcn.train({
        model,
        data,
        preprocessing: fcn.data.measurePreprocessing(data),
        numClasses: 2,
        learningRate: 1e-12,
        steps: 60,
        readEvery: 1,
        seed,
        lossSampling: { probability: 0.2, cell: 8 },
      });
      return losses.map(({ loss }) => loss);
    };
    const losses = await run(1);
    expect(await run(1)).toEqual(losses);
    expect(new Set(losses).size).toBeGreaterThan(3);
    // Each loss is ln 2 / 16 / 0.2 times a binomial of 16 cells.
    const mean = losses.reduce((a, b) => a + b) / losses.length;
    const deviation = Math.log(2) * Math.sqrt(0.8 / 0.2 / 16 / losses.length);
    expect(Math.abs(mean - Math.log(2))).toBeLessThan(4 * deviation);
  });
});
