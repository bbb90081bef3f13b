import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  budgetsOf,
  itemsOf,
  nextRung,
  type Outcome,
  placeOf,
  type Rung,
  standings,
} from "../../../../../packages/fcn/src/queue/kinds/sweep/rungs.js";
import { propertySeed } from "../../../../support/property.js";

const check = <T>(inputs: fc.Arbitrary<T>, holds: (input: T) => void): void =>
  fc.assert(fc.property(inputs, holds), { seed: propertySeed(), numRuns: 300 });

const outcome = (item: number, meanIU: number | null, failed = false): Outcome => ({
  ...{ item, meanIU, steps: 1, seconds: 1 },
  ...(failed && { error: { code: "diverged", message: "it diverged", fix: "lower the rate" } }),
});

describe("budgetsOf", () => {
  it("leaves one trial for the whole length, or begins where it is told to", () => {
    expect(budgetsOf(27, 900, { eta: 3 })).toEqual([34, 100, 300, null]);
    expect(budgetsOf(4, 12, { eta: 2 })).toEqual([3, 6, null]);
    expect(budgetsOf(5, 900, { eta: 3, minSteps: 100 })).toEqual([100, 300, null]);
    expect(budgetsOf(5, 100, { eta: 3, minSteps: 100 })).toEqual([null]);
    expect(budgetsOf(5, undefined, undefined)).toEqual([null]);
  });

  it("rises by whole steps below the length", () => {
    const inputs = fc.tuple(
      fc.integer({ min: 2, max: 1000 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 2, max: 9 }),
    );
    check(inputs, ([trials, steps, eta]) => {
      const budgets = budgetsOf(trials, steps, { eta });
      expect(budgets.at(-1)).toBe(null);
      const below = budgets.slice(0, -1) as number[];
      expect([...new Set(below)].sort((a, b) => a - b)).toEqual(below);
      for (const budget of below) expect(Number.isInteger(budget) && budget > 0 && budget < steps).toBe(true);
    });
  });

  it.each([
    [undefined, { eta: 2 }, /counts in steps/],
    [100, { eta: 1 }, /halving\.eta is 1/],
    [100, { eta: 2, minSteps: 101 }, /halving\.minSteps is 101/],
  ])("refuses %s steps with %j", (steps, halving, message) => {
    expect(() => budgetsOf(4, steps, halving)).toThrow(message);
  });
});

/** A whole sweep of trials with scores that do not depend on the rung. */
function played(scores: readonly (number | null | "failed")[], { runs = 1, eta = 2, budgets = [1, 2, 4, null] } = {}) {
  const schedule = { budgets, eta, runs };
  const rungs: Rung[] = [{ budget: budgets[0] ?? null, trials: scores.map((_, i) => i) }];
  const outcomes: Outcome[] = [];
  for (;;) {
    while (outcomes.length < itemsOf(rungs, schedule)) {
      const { trial } = placeOf(outcomes.length, rungs, schedule)!;
      const score = scores[trial]!;
      outcomes.push(outcome(outcomes.length, score === "failed" ? null : score, score === "failed"));
    }
    const next = nextRung(rungs, outcomes, schedule);
    if (next === undefined) return { rungs, ranking: standings(rungs, outcomes, schedule) };
    rungs.push(next);
  }
}

describe("nextRung", () => {
  const scores = fc.array(
    fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.5, null, "failed" as const)),
    { minLength: 2, maxLength: 40 },
  );

  it("promotes the best of each rung, none that failed, and ends with a whole run of the best", () => {
    check(fc.tuple(scores, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 3 })), ([all, eta, runs]) => {
      const { rungs, ranking } = played(all, { eta, runs });
      for (const [i, { trials }] of rungs.entries()) {
        const before = rungs[i - 1]?.trials;
        if (before === undefined) continue;
        expect(trials.length).toBeLessThanOrEqual(Math.max(1, Math.floor(before.length / eta)));
        const value = (trial: number): number => (all[trial] === null ? -1 : (all[trial] as number));
        const worst = Math.min(...trials.map(value));
        for (const trial of trials) expect(all[trial]).not.toBe("failed");
        for (const trial of before) {
          if (!trials.includes(trial) && all[trial] !== "failed") expect(value(trial)).toBeLessThanOrEqual(worst);
        }
      }
      const sound = all.filter((score) => score !== "failed");
      if (sound.length > 0) expect(rungs.at(-1)?.budget).toBe(null);
      expect(ranking.length).toBe(all.length);
      const numbers = sound.filter((score) => typeof score === "number");
      if (numbers.length > 0) expect(all[ranking[0]!.trial]).toBe(Math.max(...numbers));
    });
  });

  it("takes the earlier of equals, and puts what is no number and what failed last", () => {
    const { rungs, ranking } = played([0.5, null, "failed", 0.5, 0.4], { budgets: [1, null] });
    expect(rungs.map(({ trials }) => trials)).toEqual([
      [0, 1, 2, 3, 4],
      [0, 3],
    ]);
    expect(ranking.map(({ trial }) => trial)).toEqual([0, 3, 4, 1, 2]);
  });

  it("compares the means of all folds, and a fold that failed fails its trial", () => {
    const schedule = { budgets: [1, null], eta: 2, runs: 2 };
    const rungs = [{ budget: 1, trials: [0, 1, 2, 3] }];
    const values = [0.9, 0.1, 0.6, 0.5, 0.9, 0.9, 0.2, 0.2];
    const outcomes = values.map((value, item) => outcome(item, value, item === 5));
    expect(nextRung(rungs, outcomes, schedule)?.trials).toEqual([0, 1]);
    expect(standings(rungs, outcomes, schedule).map(({ trial, score }) => [trial, score])).toEqual([
      [1, 0.55],
      [0, 0.5],
      [3, 0.2],
      [2, Number.NaN],
    ]);
  });

  it("trains a single trial to the end at once, and ends when all have failed", () => {
    expect(played([0.1, 0.2], { budgets: [1, 2, 4, 8, null] }).rungs).toEqual([
      { budget: 1, trials: [0, 1] },
      { budget: null, trials: [1] },
    ]);
    expect(played(["failed", "failed"]).rungs.length).toBe(1);
  });
});

describe("placeOf", () => {
  it("numbers the runs of trials rung by rung, and knows no item behind the last", () => {
    const rungs = [
      { budget: 1, trials: [0, 1, 2] },
      { budget: null, trials: [2] },
    ];
    const places = Array.from({ length: 9 }, (_, item) => placeOf(item, rungs, { runs: 2 }));
    expect(places.map((place) => place && `${place.rung} ${place.trial} ${place.run}`)).toEqual([
      ...["0 0 0", "0 0 1", "0 1 0", "0 1 1", "0 2 0", "0 2 1", "1 2 0", "1 2 1", undefined],
    ]);
  });
});
