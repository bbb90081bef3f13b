import { optim } from "@fcn/tensor";

export type Optimizer = optim.SGD | optim.AdamW;

/**
 * The course of the learning rate: `fixed`; `poly`, (1 - step / steps)^0.9; `cosine` down to 0; `step`, a tenth after
 * each third of the steps. Other courses are functions, such as `(optimizer) => optim.lrScheduler.step(optimizer, {
 * stepSize: 1000 })`.
 */
export type Schedule = ScheduleName | ((optimizer: Optimizer, steps: number) => optim.lrScheduler.LRScheduler);

export type ScheduleName = keyof typeof SCHEDULES;

const SCHEDULES = {
  fixed: (optimizer: Optimizer) => optim.lrScheduler.constant(optimizer),
  poly: (optimizer: Optimizer, steps: number) => optim.lrScheduler.poly(optimizer, { totalSteps: steps }),
  cosine: (optimizer: Optimizer, steps: number) => optim.lrScheduler.cosine(optimizer, { totalSteps: steps }),
  step: (optimizer: Optimizer, steps: number) => optim.lrScheduler.step(optimizer, { stepSize: Math.ceil(steps / 3) }),
} as const;

/** Names that a schedule may have. */
export const scheduleNames = (): ScheduleName[] => Object.keys(SCHEDULES) as ScheduleName[];

export interface ScheduleOptions {
  readonly schedule: Schedule;
  readonly steps: number;
  readonly warmUp: number;
  /** Steps that were made before. */
  readonly lastStep: number;
}

/** The schedule of an optimiser at its initial rate, moved on by the steps that were made. */
export function makeSchedule(
  { schedule, steps, warmUp, lastStep }: ScheduleOptions,
  optimizer: Optimizer,
): { step(): void } {
  const course = (typeof schedule === "function" ? schedule : SCHEDULES[schedule])(optimizer, steps);
  let made = 0;
  // A course sets the rates anew at each step, so the factor does not pile up.
  const warm = (): void => {
    if (made >= warmUp) return;
    for (const group of optimizer.groups) group.lr *= (made + 1) / (warmUp + 1);
  };
  const step = (): void => {
    course.step();
    made++;
    warm();
  };
  warm();
  while (made < lastStep) step();
  return { step };
}

/** The learning rates of the steps after `lastStep`, one after the other without end. */
export function* ratesOf(options: ScheduleOptions, learningRate: number): Generator<number, never> {
  const optimizer = { groups: [{ lr: learningRate }] };
  const { step } = makeSchedule(options, optimizer as unknown as Optimizer);
  for (;;) {
    yield optimizer.groups[0]!.lr;
    step();
  }
}
