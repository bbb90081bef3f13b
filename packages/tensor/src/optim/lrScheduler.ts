import { checkOptions } from "../plain/options.js";
import { boolean, from, oneOf, positive, probability, type RulesOf, required } from "../plain/rules.js";
import type { Schedulable } from "./schedulable.js";

export { type PlateauOptions, type PlateauState, ReduceLROnPlateau } from "./reduceOnPlateau.js";
export type { Schedulable };

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

/** lr = base (torch.optim.lr_scheduler.ConstantLR with factor 1; Caffe's policy "fixed"). */
export function constant(optimizer: Schedulable, options: Resumable = {}): LRScheduler {
  return schedule<Resumable>("constant", optimizer, options, {}, () => (base) => base);
}

export interface PolyOptions extends Resumable {
  /** Steps until the learning rate is 0. */
  readonly totalSteps: number;
  /** Default 0.9, as is usual in segmentation; PyTorch's default is 1. */
  readonly power?: number;
}

/** lr = base (1 - step / totalSteps) ^ power, and 0 from totalSteps on (torch.optim.lr_scheduler.PolynomialLR). */
export function poly(optimizer: Schedulable, options: PolyOptions): LRScheduler {
  const rules = { totalSteps: required(from(1)), power: from(0) };
  return schedule("poly", optimizer, options, rules, ({ totalSteps, power = 0.9 }) => {
    return (base, at) => base * Math.max(0, 1 - at / totalSteps) ** power;
  });
}

export interface StepOptions extends Resumable {
  /** Steps between two drops. */
  readonly stepSize: number;
  /** Factor of each drop. Default 0.1. */
  readonly gamma?: number;
}

/** lr = base gamma ^ floor(step / stepSize) (torch.optim.lr_scheduler.StepLR). */
export function step(optimizer: Schedulable, options: StepOptions): LRScheduler {
  const rules = { stepSize: required(from(1)), gamma: from(0) };
  return schedule("step", optimizer, options, rules, ({ stepSize, gamma = 0.1 }) => {
    return (base, at) => base * gamma ** Math.floor(at / stepSize);
  });
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
  const rules = { totalSteps: required(from(1)), etaMin: from(0) };
  return schedule("cosine", optimizer, options, rules, ({ totalSteps, etaMin = 0 }) => (base, at) => {
    const angle = (Math.PI * Math.min(at, totalSteps)) / totalSteps;
    return etaMin + ((base - etaMin) * (1 + Math.cos(angle))) / 2;
  });
}

export interface OneCycleOptions extends Resumable {
  /** Steps of the whole cycle. */
  readonly totalSteps: number;
  /** Highest learning rate, of all groups. Default: the learning rate that each group has. */
  readonly maxLr?: number;
  /** Share of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** Course of rise and fall. Default "cos". */
  readonly annealStrategy?: "cos" | "linear";
  /** The first learning rate is the highest over this. Default 25. */
  readonly divFactor?: number;
  /** The last learning rate is the first over this. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Fall to the first rate as long as it rose, and then to the last. Default false: fall to the last at once. */
  readonly threePhase?: boolean;
}

/**
 * Rises to the highest learning rate and falls far below the first (torch.optim.lr_scheduler.OneCycleLR with
 * `cycle_momentum` false; Smith and Topin 2018). Stays at the last rate after totalSteps, where PyTorch's throws.
 */
export function oneCycle(optimizer: Schedulable, options: OneCycleOptions): LRScheduler {
  const rules: RulesOf<Omit<OneCycleOptions, "lastStep">> = {
    totalSteps: required(from(1)),
    maxLr: from(0),
    pctStart: probability,
    annealStrategy: oneOf("cos", "linear"),
    divFactor: positive,
    finalDivFactor: positive,
    threePhase: boolean,
  };
  return schedule("oneCycle", optimizer, options, rules, (given) => {
    const { totalSteps, maxLr, pctStart = 0.3, annealStrategy = "cos", divFactor = 25, finalDivFactor = 1e4 } = given;
    const rise = pctStart * totalSteps - 1;
    const share = (part: number): number => (annealStrategy === "cos" ? (1 - Math.cos(Math.PI * part)) / 2 : part);
    return (base, at) => {
      const highest = maxLr ?? base;
      const first = highest / divFactor;
      const last = first / finalDivFactor;
      const turns = given.threePhase
        ? ([
            [rise, highest],
            [2 * rise, first],
            [totalSteps - 1, last],
          ] as const)
        : ([
            [rise, highest],
            [totalSteps - 1, last],
          ] as const);
      let [begin, low] = [0, first];
      for (const [end, high] of turns) {
        if (at <= end) return low + (high - low) * share(end > begin ? (at - begin) / (end - begin) : 1);
        [begin, low] = [end, high];
      }
      return last;
    };
  });
}

/** A schedule whose learning rate at a step is that of `rates`, which gets the options once they are checked. */
function schedule<Options extends Resumable>(
  name: string,
  { groups }: Schedulable,
  options: Options,
  rules: RulesOf<Omit<Options, "lastStep">>,
  rates: (options: Options) => (base: number, step: number) => number,
): LRScheduler {
  checkOptions<object>(`lrScheduler.${name}`, options, { lastStep: from(0), ...rules });
  const rate = rates(options);
  const bases = groups.map(({ lr }) => lr);
  let at = options.lastStep ?? 0;
  const apply = (): void => {
    for (const [i, group] of groups.entries()) group.lr = rate(bases[i]!, at);
  };
  apply();
  return {
    step() {
      const advance = (): void => {
        at++;
        apply();
      };
      const runtime = groups[0]?.params?.[0]?.runtime;
      if (runtime) runtime.each(advance);
      else advance();
    },
    get lr() {
      return groups[0]!.lr;
    },
    get lastStep() {
      return at;
    },
  };
}
