import { planRMSprop, planScaledRMSprop, type RMSpropStep } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import type { Tensor } from "../core/tensor.js";
import { checkOptions } from "../plain/options.js";
import { boolean, from, type RulesOf } from "../plain/rules.js";
import {
  type OneOrTwo,
  Optimizer,
  type ParameterGroup,
  type ResolvedGroup,
  scaledOf,
  type Update,
  updatedOf,
} from "./optimizer.js";

export interface RMSpropOptions {
  /** Learning rate. Default 0.01. */
  readonly lr?: number;
  /** Decay rate of the mean square. Default 0.99. */
  readonly alpha?: number;
  /** Added to the root of the mean square. Default 1e-8. */
  readonly eps?: number;
  /** Times the weight is added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Divide by the standard deviation of the gradient, not the root of its mean square. Default false. */
  readonly centered?: boolean;
}

const RULES: RulesOf<RMSpropOptions> = {
  lr: from(0),
  alpha: from(0),
  eps: from(0),
  weightDecay: from(0),
  momentum: from(0),
  centered: boolean,
};

/**
 * RMSprop (torch.optim.RMSprop; Tieleman and Hinton 2012): gradients are divided by the root of their running mean
 * square. Throws `invalid-argument` for options out of range and for parameters that are not float32 leaves.
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: readonly Tensor[] | readonly ParameterGroup<RMSpropOptions>[], options: RMSpropOptions = {}) {
    checkOptions<RMSpropOptions>("RMSprop", options, RULES);
    const { lr = 0.01, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false } = options;
    super("RMSprop", params, RULES, { lr, alpha, eps, weightDecay, momentum, centered }, (group) => [
      "squareAvg",
      ...(group.momentum === 0 ? [] : ["momentumBuffer"]),
      ...(group.centered ? ["gradAvg"] : []),
    ]);
  }

  /** @internal Two parameters with all buffers would be more than a dispatch can bind, so each has its own. */
  protected override update(updates: OneOrTwo<Update>, group: ResolvedGroup<RMSpropOptions>): void {
    for (const update of updates) {
      const call = () => planned(planRMSprop, updatedOf(update), settingsOf(group));
      update.w.runtime.run("RMSprop", call, operandsOf(update));
    }
  }

  /** @internal */
  protected override updateScaled(
    update: Update,
    group: ResolvedGroup<RMSpropOptions>,
    { taken, record }: { readonly taken: Tensor; readonly record: Tensor | undefined },
  ): void {
    const call = () => planned(planScaledRMSprop, scaledOf(update, record), settingsOf(group));
    update.w.runtime.run("RMSprop", call, { ...operandsOf(update), taken, record });
  }
}

const operandsOf = ({ w, g, state: { buffers } }: Update) => ({
  ...{ g, w, v: buffers.squareAvg, m: buffers.momentumBuffer, a: buffers.gradAvg },
});

const settingsOf = ({
  lr,
  alpha,
  eps,
  weightDecay,
  momentum,
  centered,
}: ResolvedGroup<RMSpropOptions>): RMSpropStep => ({
  ...{ lr, alpha, eps, weightDecay, momentum, centered },
});
