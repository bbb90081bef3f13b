import { type AdamWStep, planAdamW, planScaledAdamW, type Stepped } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import type { Tensor } from "../core/tensor.js";
import { checkOptions } from "../plain/options.js";
import { boolean, from, listOf, type RulesOf } from "../plain/rules.js";
import {
  type OneOrTwo,
  Optimizer,
  type ParameterGroup,
  type ResolvedGroup,
  scaledOf,
  type Update,
  updatedOf,
} from "./optimizer.js";

export interface AdamWOptions {
  /** Learning rate. Default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the square root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Each step first scales the weight by 1 - lr weightDecay. Default 0.01. */
  readonly weightDecay?: number;
  /** Divide by the root of the largest second moment so far (AMSGrad; Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
}

/** @internal */
export const ADAM_RULES: RulesOf<AdamWOptions> = {
  lr: from(0),
  betas: listOf("two numbers from 0 to below 1", from(0, 1), 2),
  eps: from(0),
  weightDecay: from(0),
  amsgrad: boolean,
};

/** @internal What is kept of each parameter. */
export const adamBuffers = ({ amsgrad }: ResolvedGroup<AdamWOptions>): readonly string[] => [
  ...["expAvg", "expAvgSq"],
  ...(amsgrad ? ["maxExpAvgSq"] : []),
];

/**
 * Adam with bias correction and decoupled weight decay (torch.optim.AdamW; Loshchilov and Hutter 2019). Throws
 * `invalid-argument` for options out of range and for parameters that are not float32 leaves.
 */
export class AdamW extends Optimizer<AdamWOptions> {
  constructor(params: readonly Tensor[] | readonly ParameterGroup<AdamWOptions>[], options: AdamWOptions = {}) {
    checkOptions<AdamWOptions>("AdamW", options, ADAM_RULES);
    const { lr = 1e-3, betas = [0.9, 0.999] as const, eps = 1e-8, weightDecay = 0.01, amsgrad = false } = options;
    super("AdamW", params, ADAM_RULES, { lr, betas, eps, weightDecay, amsgrad }, adamBuffers);
  }

  /** @internal */
  protected override update(updates: OneOrTwo<Update>, group: ResolvedGroup<AdamWOptions>): void {
    updateAdam("AdamW", updates, group, false);
  }

  /** @internal */
  protected override updateScaled(
    update: Update,
    group: ResolvedGroup<AdamWOptions>,
    operands: { readonly taken: Tensor; readonly record: Tensor | undefined },
  ): void {
    updateScaledAdam("AdamW", update, group, false, operands);
  }
}

/**
 * @internal A step of AdamW, or of Adam, whose decay is coupled: part of the gradient. With AMSGrad each parameter has
 * a dispatch of its own, because there is no room for the buffers of two.
 */
export function updateAdam(
  op: string,
  updates: OneOrTwo<Update>,
  group: ResolvedGroup<AdamWOptions>,
  isCoupled: boolean,
): void {
  const [first, second] = updates;
  if (group.amsgrad && second) {
    for (const update of updates) updateAdam(op, [update], group, isCoupled);
    return;
  }
  const { w, g, state } = first;
  const { expAvg: m, expAvgSq: v, maxExpAvgSq } = state.buffers;
  const { expAvg: m2, expAvgSq: v2 = maxExpAvgSq } = second?.state.buffers ?? {};
  const call = () => planned(planAdamW, updates.map(steppedOf) as [Stepped, Stepped], settingsOf(group, isCoupled));
  w.runtime.run(op, call, { g, w, m, v, g2: second?.g, w2: second?.w, m2, v2 });
}

/** @internal {@link updateAdam} by the record of a GradScaler. */
export function updateScaledAdam(
  op: string,
  update: Update,
  group: ResolvedGroup<AdamWOptions>,
  isCoupled: boolean,
  { taken, record }: { readonly taken: Tensor; readonly record: Tensor | undefined },
): void {
  const { w, g, state } = update;
  const { expAvg: m, expAvgSq: v, maxExpAvgSq: v2 } = state.buffers;
  const call = () => planned(planScaledAdamW, scaledOf(update, record), settingsOf(group, isCoupled));
  w.runtime.run(op, call, { g, w, m, v, v2, taken, record });
}

const settingsOf = (
  { lr, betas, eps, weightDecay, amsgrad }: ResolvedGroup<AdamWOptions>,
  isCoupled: boolean,
): AdamWStep => ({
  lr,
  beta1: betas[0],
  beta2: betas[1],
  eps,
  weightDecay,
  isCoupled,
  amsgrad,
});

const steppedOf = (update: Update): Stepped => ({ ...updatedOf(update), step: update.state.step });
