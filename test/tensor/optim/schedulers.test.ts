import { readFileSync } from "node:fs";
import { optim } from "@fcn/tensor";
import { describe, expect, it } from "vitest";

interface Golden {
  readonly oneCycles: readonly { options: optim.lrScheduler.OneCycleOptions; rates: number[] }[];
  readonly plateaus: {
    readonly metrics: readonly (number | null)[];
    readonly cases: readonly { options: optim.lrScheduler.PlateauOptions; rates: number[] }[];
  };
}

const golden = JSON.parse(readFileSync(new URL("../../golden/torch_nn.json", import.meta.url), "utf8")) as Golden;
const near = (rates: readonly number[]) => rates.map((rate) => expect.closeTo(rate, 12));

describe("oneCycle", () => {
  it.each(golden.oneCycles)("with $options goes the way of PyTorch's", ({ options, rates }) => {
    const optimiser = { groups: [{ lr: 1 }, { lr: 2 }] };
    const schedule = optim.lrScheduler.oneCycle(optimiser, options);
    const walked = rates.map(() => {
      const { lr } = schedule;
      expect(optimiser.groups[1]!.lr).toBe(lr);
      schedule.step();
      return lr;
    });
    expect(walked).toEqual(near(rates));
    expect(schedule.lr).toBeCloseTo(walked.at(-1)!, 12);
  });

  it("takes the rate of each group for its highest, and goes on from a step", () => {
    const { options, rates } = golden.oneCycles[0]!;
    const optimiser = { groups: [{ lr: 0.3 }, { lr: 0.6 }] };
    optim.lrScheduler.oneCycle(optimiser, { totalSteps: options.totalSteps, lastStep: 4 });
    expect(optimiser.groups.map(({ lr }) => lr)).toEqual(near([rates[4]!, 2 * rates[4]!]));
  });

  it("refuses options that cannot be", () => {
    const make = (options: object) => () => optim.lrScheduler.oneCycle({ groups: [{ lr: 1 }] }, options as never);
    expect(make({})).toThrow(/lrScheduler.oneCycle: totalSteps is missing/);
    expect(make({ totalSteps: 5, pctStart: 1.5 })).toThrow(/pctStart is 1.5/);
    expect(make({ totalSteps: 5, divFactor: 0 })).toThrow(/divFactor is 0, expected a number above 0/);
    expect(make({ totalSteps: 5, annealStrategy: "cosine" })).toThrow(/annealStrategy is "cosine"/);
  });
});

describe("ReduceLROnPlateau", () => {
  const metrics = golden.plateaus.metrics.map((metric) => metric ?? Number.NaN);

  it.each(golden.plateaus.cases)(
    "with $options goes the way of PyTorch's, through a checkpoint too",
    ({ options, rates }) => {
      const optimiser = { groups: [{ lr: 0.1 }, { lr: 1 }] };
      let scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimiser, options);
      const walked = metrics.map((metric) => {
        scheduler.step(metric);
        const next = new optim.lrScheduler.ReduceLROnPlateau(optimiser, options);
        next.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
        scheduler = next;
        return scheduler.lr;
      });
      expect(walked).toEqual(near(rates));
      expect(new Set(rates).size).toBeGreaterThan(1);
      expect(optimiser.groups[1]!.lr).toBeLessThan(1);
    },
  );

  it("refuses options, metrics and states that cannot be", () => {
    const optimiser = { groups: [{ lr: 0.1 }] };
    const make = (options: object) => () => new optim.lrScheduler.ReduceLROnPlateau(optimiser, options);
    expect(make({ factor: 1 })).toThrow(
      /lrScheduler.ReduceLROnPlateau: factor is 1, expected a number from 0 to below 1/,
    );
    expect(make({ patience: 1.5 })).toThrow(/patience is 1.5/);
    const scheduler = make({})();
    expect(() => scheduler.step("low" as never)).toThrow(/metric is "low", expected a number/);
    expect(() => scheduler.loadStateDict({ best: null, badSteps: -1, cooldownLeft: 0 })).toThrow(/badSteps -1/);
  });
});
