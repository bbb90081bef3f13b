import { checkOptions } from "../options.js";
import { from, type RulesOf, required } from "../rules.js";

/** The part of an optimiser that a schedule changes. */
export interface Schedulable {
  readonly groups: readonly { lr: number }[];
}

/** A learning-rate schedule. The learning rates of the groups when it is created are their rates at step 0. */
export interface LRScheduler {
  /** Advances by one step; call it after `optimizer.step()`. */
  step(): void;
  /** Learning rate of the first group. */
  readonly lr: number;
  /** Steps so far. */
  readonly lastStep: number;
}

export interface Resumable {
  /** Steps already taken, when resuming training with an optimiser at its initial learning rate. Default 0. */
  readonly lastStep?: number;
}

const RESUMABLE: RulesOf<Resumable> = { lastStep: from(0) };

/** lr = base (torch.optim.lr_scheduler.ConstantLR with factor 1; Caffe's policy "fixed"). */
export function constant(optimizer: Schedulable, options: Resumable = {}): LRScheduler {
  checkOptions<Resumable>("lrScheduler.constant", options, RESUMABLE);
  const { lastStep = 0 } = options;
  return schedule(optimizer, lastStep, (base) => base);
}

export interface PolyOptions extends Resumable {
  /** Steps until the learning rate is 0. */
  readonly totalSteps: number;
  /** Default 0.9, as is usual in segmentation; PyTorch's default is 1. */
  readonly power?: number;
}

/** lr = base (1 - step / totalSteps) ^ power, and 0 from totalSteps on (torch.optim.lr_scheduler.PolynomialLR). */
export function poly(optimizer: Schedulable, options: PolyOptions): LRScheduler {
  checkOptions<PolyOptions>("lrScheduler.poly", options, {
    ...RESUMABLE,
    totalSteps: required(from(1)),
    power: from(0),
  });
  const { totalSteps, power = 0.9, lastStep = 0 } = options;
  return schedule(optimizer, lastStep, (base, step) => base * Math.max(0, 1 - step / totalSteps) ** power);
}

export interface StepOptions extends Resumable {
  /** Steps between two drops. */
  readonly stepSize: number;
  /** Factor of each drop. Default 0.1. */
  readonly gamma?: number;
}

/** lr = base gamma ^ floor(step / stepSize) (torch.optim.lr_scheduler.StepLR). */
export function step(optimizer: Schedulable, options: StepOptions): LRScheduler {
  checkOptions<StepOptions>("lrScheduler.step", options, {
    ...RESUMABLE,
    stepSize: required(from(1)),
    gamma: from(0),
  });
  const { stepSize, gamma = 0.1, lastStep = 0 } = options;
  return schedule(optimizer, lastStep, (base, at) => base * gamma ** Math.floor(at / stepSize));
}

export interface CosineOptions extends Resumable {
  /** Steps from the initial learning rate to the lowest. */
  readonly totalSteps: number;
  /** Lowest learning rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * lr = etaMin + (base - etaMin) (1 + cos(pi step / totalSteps)) / 2 (torch.optim.lr_scheduler.CosineAnnealingLR). Stays
 * at etaMin after totalSteps, where PyTorch's rises again.
 */
export function cosine(optimizer: Schedulable, options: CosineOptions): LRScheduler {
  checkOptions<CosineOptions>("lrScheduler.cosine", options, {
    ...RESUMABLE,
    totalSteps: required(from(1)),
    etaMin: from(0),
  });
  const { totalSteps, etaMin = 0, lastStep = 0 } = options;
  return schedule(optimizer, lastStep, (base, at) => {
    const angle = (Math.PI * Math.min(at, totalSteps)) / totalSteps;
    return etaMin + ((base - etaMin) * (1 + Math.cos(angle))) / 2;
  });
}

function schedule(
  { groups }: Schedulable,
  lastStep: number,
  rate: (base: number, step: number) => number,
): LRScheduler {
  const bases = groups.map(({ lr }) => lr);
  let at = lastStep;
  const apply = (): void => {
    for (const [i, group] of groups.entries()) group.lr = rate(bases[i]!, at);
  };
  apply();
  return {
    step() {
      at++;
      apply();
    },
    get lr() {
      return groups[0]!.lr;
    },
    get lastStep() {
      return at;
    },
  };
}
