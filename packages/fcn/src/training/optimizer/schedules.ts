import { optim } from "@fcn/tensor";

/** The optimisers that training knows, those of `torch.optim` in PyTorch. */
export type Optimizer = optim.SGD | optim.AdamW | optim.Adam | optim.RMSprop;

/**
 * The course of the learning rate: `fixed`; `poly`, (1 - step / steps)^0.9; `cosine` down to 0; `step`, a tenth after
 * each third of the steps; `oneCycle`, up to the rate and far below it. A function makes any other, such as
 * `(optimizer) => optim.lrScheduler.step(optimizer, { stepSize: 1000 })`.
 */
export type Schedule = ScheduleName | ((optimizer: Optimizer, steps: number) => optim.lrScheduler.LRScheduler);

export type ScheduleName = keyof typeof SCHEDULES;

const SCHEDULES = {
  fixed: (optimizer: Optimizer) => optim.lrScheduler.constant(optimizer),
  poly: (optimizer: Optimizer, steps: number) => optim.lrScheduler.poly(optimizer, { totalSteps: steps }),
  cosine: (optimizer: Optimizer, steps: number) => optim.lrScheduler.cosine(optimizer, { totalSteps: steps }),
  step: (optimizer: Optimizer, steps: number) => optim.lrScheduler.step(optimizer, { stepSize: Math.ceil(steps / 3) }),
  oneCycle: (optimizer: Optimizer, steps: number) => optim.lrScheduler.oneCycle(optimizer, { totalSteps: steps }),
} as const;

export const scheduleNames = (): ScheduleName[] => Object.keys(SCHEDULES) as ScheduleName[];

export interface ScheduleOptions {
  readonly schedule: Schedule;
  readonly steps: number;
  readonly warmUp: number;
  /** Number of steps already made. */
  readonly lastStep: number;
}

/** The schedule of an optimiser that is at its initial rate, advanced by the steps already made. */
export function makeSchedule(
  { schedule, steps, warmUp, lastStep }: ScheduleOptions,
  optimizer: Optimizer,
): { step(): void } {
  const course = (typeof schedule === "function" ? schedule : SCHEDULES[schedule])(optimizer, steps);
  let made = 0;
  // The schedule sets the rates anew at each step, so the factor does not accumulate.
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

/** The learning rates of the steps after `lastStep`, without end. */
export function* ratesOf(options: ScheduleOptions, learningRate: number): Generator<number, never> {
  const optimizer = { groups: [{ lr: learningRate }] };
  const { step } = makeSchedule(options, optimizer as unknown as Optimizer);
  for (;;) {
    yield optimizer.groups[0]!.lr;
    step();
  }
}
