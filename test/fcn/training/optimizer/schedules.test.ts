import { describe, expect, it } from "vitest";
import {
  makeSchedule,
  type Optimizer,
  ratesOf,
  type Schedule,
  type ScheduleOptions,
  scheduleNames,
} from "../../../../packages/fcn/src/training/optimizer/schedules.js";

function rates(schedule: Schedule, count: number, options: Partial<ScheduleOptions> = {}): number[] {
  const course = ratesOf({ schedule, steps: 6, warmUp: 0, lastStep: 0, ...options }, 2);
  return Array.from({ length: count }, () => course.next().value);
}
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 10));

describe("the rates of a schedule", () => {
  it.each<[Schedule, number[]]>([
    ["fixed", [2, 2, 2, 2, 2, 2, 2]],
    ["poly", [0, 1, 2, 3, 4, 5, 6].map((i) => 2 * (1 - i / 6) ** 0.9)],
    ["cosine", [0, 1, 2, 3, 4, 5, 6].map((i) => 1 + Math.cos((Math.PI * i) / 6))],
    ["step", [2, 2, 0.2, 0.2, 0.02, 0.02, 0.002]],
  ])("%s", (schedule, wanted) => {
    expect(rates(schedule, 7)).toEqual(close(wanted));
    expect(rates(schedule, 3, { lastStep: 3 })).toEqual(close(wanted.slice(3, 6)));
    const warm = wanted.slice(0, 4).map((rate, i) => rate * Math.min(1, (i + 1) / 3));
    expect(rates(schedule, 4, { warmUp: 2 })).toEqual(close(warm));
    expect(rates(schedule, 3, { warmUp: 2, lastStep: 1 })).toEqual(close(warm.slice(1)));
  });

  it("step down at whole steps, a third of them rounded up", () =>
    expect(rates("step", 4, { steps: 4 })).toEqual(close([2, 2, 0.2, 0.2])));

  it("may be those of a function, which is told the steps", () => {
    let given = 0;
    const schedule: Schedule = ({ groups }, steps) => {
      given = steps;
      const group = groups[0] as { lr: number };
      const step = (): void => {
        group.lr++;
      };
      return { step, lr: 0, lastStep: 0 };
    };
    expect(rates(schedule, 3)).toEqual([2, 3, 4]);
    expect(given).toBe(6);
  });

  it("change every group", () => {
    const optimizer = { groups: [{ lr: 1 }, { lr: 10 }] };
    const options = { schedule: "poly", steps: 2, warmUp: 1, lastStep: 0 } as const;
    const { step } = makeSchedule(options, optimizer as unknown as Optimizer);
    expect(optimizer.groups).toEqual([{ lr: 0.5 }, { lr: 5 }]);
    step();
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual(close([0.5 ** 0.9, 10 * 0.5 ** 0.9]));
  });

  it("have these names", () => expect(scheduleNames()).toEqual(["fixed", "poly", "cosine", "step", "oneCycle"]));

  it("rise to the rate and fall in one cycle", () => {
    const walked = rates("oneCycle", 10, { steps: 10 });
    expect([walked[2], Math.max(...walked)]).toEqual(close([2, 2]));
    expect([walked[0], walked[9]]).toEqual(close([walked[2]! / 25, walked[2]! / 25e4]));
  });
});
