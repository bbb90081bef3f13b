import { optim } from "@fcn/tensor";
import { describe, expect, it } from "vitest";

describe("lrScheduler", () => {
  const groups = () => ({ groups: [{ lr: 1 }, { lr: 0.1 }] });
  const run = (make: (o: ReturnType<typeof groups>) => optim.lrScheduler.LRScheduler, count: number): number[] => {
    const optimiser = groups();
    const schedule = make(optimiser);
    return Array.from({ length: count }, () => {
      const { lr } = schedule;
      expect(optimiser.groups[1]?.lr).toBeCloseTo(lr / 10, 12);
      schedule.step();
      return lr;
    });
  };

  it("falls by a power to zero", () => {
    const rates = run((o) => optim.lrScheduler.poly(o, { totalSteps: 4, power: 2 }), 6);
    expect(rates).toEqual([1, 0.5625, 0.25, 0.0625, 0, 0]);
  });

  it("falls by the power 0.9 unless told otherwise", () => {
    const rates = run((o) => optim.lrScheduler.poly(o, { totalSteps: 4 }), 5);
    [1, 0.75 ** 0.9, 0.5 ** 0.9, 0.25 ** 0.9, 0].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });

  it("drops in stairs", () => {
    expect(run((o) => optim.lrScheduler.step(o, { stepSize: 2, gamma: 0.5 }), 5)).toEqual([1, 1, 0.5, 0.5, 0.25]);
  });

  it("falls along a cosine", () => {
    const rates = run((o) => optim.lrScheduler.cosine(o, { totalSteps: 4 }), 6);
    [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 0, 0].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });

  it("stays", () => {
    expect(run((o) => optim.lrScheduler.constant(o), 2)).toEqual([1, 1]);
  });

  it("goes on from a step", () => {
    expect(run((o) => optim.lrScheduler.poly(o, { totalSteps: 4, power: 1, lastStep: 3 }), 2)).toEqual([0.25, 0]);
  });

  it("have defaults for the height of a drop and for the lowest rate", () => {
    const rates = run((o) => optim.lrScheduler.step(o, { stepSize: 1 }), 3);
    [1, 0.1, 0.01].forEach((rate, i) => void expect(rates[i]).toBeCloseTo(rate, 12));
    const o = { groups: [{ lr: 1 }] };
    optim.lrScheduler.cosine(o, { totalSteps: 2, etaMin: 0.5, lastStep: 1 });
    expect(o.groups[0]?.lr).toBeCloseTo(0.75, 12);
  });

  it("counts its steps, from those that it is told", () => {
    const makers = [
      (o: optim.lrScheduler.Resumable) => optim.lrScheduler.constant(groups(), o),
      (o: optim.lrScheduler.Resumable) => optim.lrScheduler.poly(groups(), { totalSteps: 4, ...o }),
      (o: optim.lrScheduler.Resumable) => optim.lrScheduler.step(groups(), { stepSize: 2, ...o }),
      (o: optim.lrScheduler.Resumable) => optim.lrScheduler.cosine(groups(), { totalSteps: 4, ...o }),
    ];
    for (const make of makers) {
      expect(make({}).lastStep).toBe(0);
      const schedule = make({ lastStep: 2 });
      schedule.step();
      expect(schedule.lastStep).toBe(3);
    }
  });

  it("goes on from a step along stairs and a cosine", () => {
    expect(run((o) => optim.lrScheduler.step(o, { stepSize: 2, gamma: 0.5, lastStep: 4 }), 1)).toEqual([0.25]);
    expect(run((o) => optim.lrScheduler.cosine(o, { totalSteps: 4, lastStep: 2 }), 1)[0]).toBeCloseTo(0.5, 12);
    expect(run((o) => optim.lrScheduler.constant(o, { lastStep: 7 }), 1)).toEqual([1]);
  });

  it.each([
    ["poly: totalSteps", () => optim.lrScheduler.poly(groups(), { totalSteps: 0.5 })],
    ["poly: power", () => optim.lrScheduler.poly(groups(), { totalSteps: 2, power: -1 })],
    ["step: stepSize", () => optim.lrScheduler.step(groups(), { stepSize: 0 })],
    ["step: gamma", () => optim.lrScheduler.step(groups(), { stepSize: 1, gamma: Number.NaN })],
    ["cosine: totalSteps", () => optim.lrScheduler.cosine(groups(), { totalSteps: Number.POSITIVE_INFINITY })],
    ["cosine: etaMin", () => optim.lrScheduler.cosine(groups(), { totalSteps: 2, etaMin: -0.1 })],
    ["constant: speed", () => optim.lrScheduler.constant(groups(), { speed: 2 } as object)],
    ["poly: steps", () => optim.lrScheduler.poly(groups(), { totalSteps: 2, steps: 2 } as { totalSteps: number })],
    ["step: size", () => optim.lrScheduler.step(groups(), { stepSize: 2, size: 2 } as { stepSize: number })],
    ["cosine: low", () => optim.lrScheduler.cosine(groups(), { totalSteps: 2, low: 0 } as { totalSteps: number })],
    ["lrScheduler: lastStep", () => optim.lrScheduler.constant(groups(), { lastStep: -1 })],
  ])("refuses settings that are out of range or unknown: %s", (where, make) => {
    const [op, name] = where.split(": ") as [string, string];
    expect(make).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(make).toThrow(new RegExp(`${op}.*${name}`));
  });

  it("takes the least that is in range", () => {
    expect(optim.lrScheduler.poly(groups(), { totalSteps: 1, power: 0, lastStep: 0 }).lr).toBe(1);
    expect(optim.lrScheduler.step(groups(), { stepSize: 1, gamma: 0, lastStep: 1 }).lr).toBe(0);
    expect(optim.lrScheduler.cosine(groups(), { totalSteps: 1, etaMin: 0 }).lr).toBe(1);
  });
});
