import { optim, TensorError } from "@fcn/tensor";

export type LRScheduler = ReturnType<typeof optim.lrScheduler.poly>;
export type Optimizer = optim.SGD | optim.AdamW;

/**
 * The course of the learning rate: `fixed`, `poly` (1 - step / steps)^0.9, or `cosine` down to 0. Other courses are functions, such as
 * `(optimizer) => optim.lrScheduler.step(optimizer, { stepSize: 1000 })`.
 */
export type Schedule = keyof typeof SCHEDULES | ((optimizer: Optimizer, steps: number) => LRScheduler);

const SCHEDULES = {
  fixed: (optimizer: Optimizer) => optim.lrScheduler.constant(optimizer),
  poly: (optimizer: Optimizer, steps: number) => optim.lrScheduler.poly(optimizer, { totalSteps: steps }),
  cosine: (optimizer: Optimizer, steps: number) => optim.lrScheduler.cosine(optimizer, { totalSteps: steps }),
} as const;

export function makeSchedule(schedule: Schedule, optimizer: Optimizer, steps: number): LRScheduler {
  if (typeof schedule === "function") return schedule(optimizer, steps);
  if (Object.hasOwn(SCHEDULES, schedule)) return SCHEDULES[schedule](optimizer, steps);
  throw new TensorError({
    code: "invalid-argument",
    message: `train: schedule ${JSON.stringify(schedule)} is unknown`,
    fix: `use one of: ${Object.keys(SCHEDULES).join(", ")}; or pass a function that makes an optim.lrScheduler`,
  });
}
