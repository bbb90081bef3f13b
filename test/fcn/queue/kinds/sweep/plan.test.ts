import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Axes, planTrials, type Range } from "../../../../../packages/fcn/src/queue/kinds/sweep/plan.js";
import { propertySeed } from "../../../../support/property.js";

const check = <T>(inputs: fc.Arbitrary<T>, holds: (input: T) => void): void =>
  fc.assert(fc.property(inputs, holds), { seed: propertySeed(), numRuns: 200 });

const rate = fc.double({ min: 1e-6, max: 10, noNaN: true });
const models = fc.subarray(["fcn32s-small", "fcn16s-small", "fcn8s-small"], { minLength: 1 });
const lists = fc
  .record({
    model: models,
    learningRate: fc.uniqueArray(rate, { minLength: 2, maxLength: 4 }),
    batchSize: fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 4 }),
    crop: fc.uniqueArray(fc.constantFrom([32, 32], [32, 64], [64, 64]), { minLength: 1, maxLength: 3 }),
  })
  .map((axes): Axes => axes);
const range = fc
  .tuple(rate, rate, fc.constantFrom("log" as const, "linear" as const))
  .filter(([a, b]) => Math.abs(a - b) > 1e-5)
  .map(([a, b, scale]): Range => ({ from: Math.min(a, b), to: Math.max(a, b), scale }));

describe("planTrials", () => {
  it("makes each combination of lists once", () => {
    check(lists, (axes) => {
      const trials = planTrials(axes);
      const values = Object.values(axes) as unknown[][];
      expect(trials.length).toBe(values.reduce((product, { length }) => product * length, 1));
      expect(new Set(trials.map(({ settings }) => JSON.stringify(settings))).size).toBe(trials.length);
      for (const { settings } of trials) {
        for (const [name, list] of Object.entries(axes)) expect(list).toContain(settings[name]);
      }
    });
  });

  it("names trials so that no two share a folder, on any file system", () => {
    const texts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 200 }), { minLength: 2, maxLength: 12 });
    check(texts, (weights) => {
      const names = planTrials({ weights }).map(({ name }) => name);
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(weights.length);
      for (const name of names) expect(name).toMatch(/^weights=[\w.,=+-]{0,103}$/);
    });
    const [first] = planTrials({ model: ["fcn8s-small", "fcn32s-small"], learningRate: [0.01], crop: [[32, 64]] });
    expect(first?.name).toBe("model=fcn8s-small,lr=0.01,crop=32x64");
  });

  it("draws the same trials for a seed, no two alike, all of them within their ranges", () => {
    const drawing = fc.record({
      seed: fc.integer({ min: 0, max: 1000 }),
      learningRate: range,
      model: models,
      batchSize: fc.constant<Range>({ from: 2, to: 31 }),
    });
    check(drawing, ({ seed, ...axes }) => {
      const trials = planTrials(axes, { trials: 6, seed });
      expect(trials).toEqual(planTrials(axes, { trials: 6, seed }));
      expect(new Set(trials.map(({ name }) => name)).size).toBe(6);
      for (const { settings, name } of trials) {
        const { learningRate, batchSize } = settings as { learningRate: number; batchSize: number };
        expect(learningRate).toBeGreaterThanOrEqual(axes.learningRate.from);
        expect(learningRate).toBeLessThanOrEqual(axes.learningRate.to);
        expect(Number.isInteger(batchSize) && batchSize >= 2 && batchSize <= 31).toBe(true);
        expect(name).toContain(`lr=${learningRate}`);
      }
    });
    const axes = { learningRate: { from: 1e-6, to: 1 } };
    expect(planTrials(axes, { trials: 6, seed: 1 })).not.toEqual(planTrials(axes, { trials: 6, seed: 2 }));
  });

  it("draws evenly in the logarithm, or evenly", () => {
    const share = (scale: Range["scale"]) => {
      const trials = planTrials({ learningRate: { from: 1e-4, to: 1, ...(scale && { scale }) } }, { trials: 800 });
      return trials.filter(({ settings }) => (settings.learningRate as number) < 1e-2).length / 800;
    };
    expect(share(undefined)).toBeCloseTo(0.5, 1);
    expect(share("linear")).toBeCloseTo(0.01, 1);
  });

  it.each([
    [{ learningrate: [1, 2] }, undefined, /no setting "learningrate"/, /did you mean learningRate/],
    [{ out: ["a", "b"] }, undefined, /no setting "out"/, /fcn sweep --help/],
    [{ learningRate: [] }, undefined, /axes\.learningRate is \[\]/, /at least one/],
    [{ learningRate: [1e-3, -1] }, undefined, /learningRate is -1/, /above 0/],
    [{ model: ["fcn8s-smal", "fcn32s-small"] }, undefined, /no model called "fcn8s-smal"/, /fcn8s-small/],
    [{ batchSize: [2, "auto"] }, undefined, /batchSize is "auto"/, /--batch 4/],
    [{ learningRate: [1e-3] }, undefined, /only one trial/, /--lr 1e-2,1e-3/],
    [{ learningRate: { from: 1, to: 2 } }, undefined, /range 1\.\.2, of which a grid/, /--random 20/],
    [{ learningRate: { from: 2, to: 1 } }, { trials: 2 }, /range 2\.\.1/, /smaller/],
    [{ weightDecay: { from: 0, to: 1 } }, { trials: 2 }, /0 has no logarithm/, /0\.\.1:linear/],
    [{ optimizer: { from: 1, to: 2 } }, { trials: 2 }, /optimizer is 1/, /adamw/],
    [{ batchSize: [1, 2] }, { trials: 3 }, /no 3 combinations/, /fewer/],
    [{ batchSize: [1, 2] }, { trials: 1 }, /random\.trials is 1/, /./],
    [{ seed: Array.from({ length: 1001 }, (_, i) => i) }, undefined, /1001 combinations/, /fewer/],
  ] as const)("refuses %j", (axes, random, message, fix) => {
    const plan = () => planTrials(axes as unknown as Axes, random);
    expect(plan).toThrow(message);
    let error: unknown;
    try {
      plan();
    } catch (thrown) {
      error = thrown;
    }
    const {
      fix: code,
      commandFix = code,
      message: text,
    } = error as { fix: string; commandFix?: string; message: string };
    expect(`${commandFix} ${text}`).toMatch(fix);
  });
});
