import { TensorError } from "../plain/errors.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { from, number, oneOf, type RulesOf, whole } from "../plain/rules.js";
import type { Schedulable } from "./schedulable.js";

export interface PlateauOptions {
  /** Whether a metric is better if it is lower or higher. Default "min". */
  readonly mode?: "min" | "max";
  /** Factor of each drop, from 0 to below 1. Default 0.1. */
  readonly factor?: number;
  /** Steps without a better metric that are let pass; the next one drops the rate. Default 10. */
  readonly patience?: number;
  /** How much better counts. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best metric or a difference. Default "rel". */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a drop in which none counts as without a better metric. Default 0. */
  readonly cooldown?: number;
  /** Lowest learning rate. Default 0. */
  readonly minLr?: number;
  /** A drop by no more than this is left out. Default 1e-8. */
  readonly eps?: number;
}

/** What a {@link ReduceLROnPlateau} remembers, as plain JSON. */
export interface PlateauState {
  /** The best metric; null before the first. */
  readonly best: number | null;
  readonly badSteps: number;
  readonly cooldownLeft: number;
}

const RULES: RulesOf<PlateauOptions> = {
  mode: oneOf("min", "max"),
  factor: from(0, 1),
  patience: whole(0),
  threshold: from(0),
  thresholdMode: oneOf("rel", "abs"),
  cooldown: whole(0),
  minLr: from(0),
  eps: from(0),
};

const METRIC = number("a number", () => true);
const COUNT = whole(0);

/**
 * Drops the learning rates when a metric stops getting better (torch.optim.lr_scheduler.ReduceLROnPlateau). Call `step`
 * with the metric after each validation. A metric of NaN is not better than any other.
 *
 * @example
 * ```ts
 * import { createDevice, optim } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const optimizer = new optim.SGD([device.zeros([1], { requiresGrad: true })], { lr: 0.1 });
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
 * for (const loss of [1, 0.9, 0.95, 0.92]) scheduler.step(loss);
 * console.log(scheduler.lr); // 0.05
 * device.destroy();
 * ```
 */
export class ReduceLROnPlateau {
  readonly #groups: Schedulable["groups"];
  readonly #options: Required<PlateauOptions>;
  #best: number | null = null;
  #badSteps = 0;
  #cooldownLeft = 0;

  constructor({ groups }: Schedulable, options: PlateauOptions = {}) {
    checkOptions<PlateauOptions>("lrScheduler.ReduceLROnPlateau", options, RULES);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    this.#groups = groups;
  }

  /** Learning rate of the first group. */
  get lr(): number {
    return this.#groups[0]!.lr;
  }

  /** Takes the metric of a validation, and drops the learning rates if there was none better for long. */
  step(metric: number): void {
    checkValue("ReduceLROnPlateau.step", "metric", metric, METRIC);
    const { patience, cooldown } = this.#options;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#badSteps = 0;
    } else this.#badSteps++;
    if (this.#cooldownLeft > 0) {
      this.#cooldownLeft--;
      this.#badSteps = 0;
    }
    if (this.#badSteps <= patience) return;
    this.#drop();
    this.#cooldownLeft = cooldown;
    this.#badSteps = 0;
  }

  /** What to keep in a checkpoint beside the learning rates. */
  stateDict(): PlateauState {
    return { best: this.#best, badSteps: this.#badSteps, cooldownLeft: this.#cooldownLeft };
  }

  /** Goes on from what `stateDict` returned. Throws `state-dict-mismatch` for anything else. */
  loadStateDict(state: PlateauState): void {
    const { best, badSteps, cooldownLeft } = state;
    if ((best !== null && typeof best !== "number") || ![badSteps, cooldownLeft].every(COUNT.holds)) {
      throw new TensorError({
        code: "state-dict-mismatch",
        message: `ReduceLROnPlateau.loadStateDict: best is ${best}, badSteps ${badSteps} and cooldownLeft ${cooldownLeft}, expected a number or null and two whole numbers`,
        fix: "load what stateDict() returned",
      });
    }
    this.#best = best;
    this.#badSteps = badSteps;
    this.#cooldownLeft = cooldownLeft;
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.#best ?? (mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
    const sign = mode === "min" ? -1 : 1;
    const bar = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === "min" ? metric < bar : metric > bar;
  }

  #drop(): void {
    const { factor, minLr, eps } = this.#options;
    for (const group of this.#groups) {
      const next = Math.max(group.lr * factor, minLr);
      if (group.lr - next > eps) group.lr = next;
    }
  }
}
