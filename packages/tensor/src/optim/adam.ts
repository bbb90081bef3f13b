import type { Tensor } from "../core/tensor.js";
import { checkOptions } from "../plain/options.js";
import { ADAM_RULES, type AdamWOptions, adamBuffers, updateAdam, updateScaledAdam } from "./adamw.js";
import { type OneOrTwo, Optimizer, type ParameterGroup, type ResolvedGroup, type Update } from "./optimizer.js";

export interface AdamOptions {
  /** Learning rate. Default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the square root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Times the weight is added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Divide by the root of the largest second moment so far (AMSGrad; Reddi et al. 2018). Default false. */
  readonly amsgrad?: boolean;
}

/**
 * Adam with bias correction (torch.optim.Adam; Kingma and Ba 2015). Its weight decay is part of the gradient; that of
 * {@link AdamW} is not. Throws `invalid-argument` for options out of range and for parameters that are not float32
 * leaves.
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: readonly Tensor[] | readonly ParameterGroup<AdamOptions>[], options: AdamOptions = {}) {
    checkOptions<AdamOptions>("Adam", options, ADAM_RULES);
    const { lr = 1e-3, betas = [0.9, 0.999] as const, eps = 1e-8, weightDecay = 0, amsgrad = false } = options;
    super("Adam", params, ADAM_RULES, { lr, betas, eps, weightDecay, amsgrad }, adamBuffers);
  }

  /** @internal */
  protected override update(updates: OneOrTwo<Update>, group: ResolvedGroup<AdamWOptions>): void {
    updateAdam("Adam", updates, group, true);
  }

  /** @internal */
  protected override updateScaled(
    update: Update,
    group: ResolvedGroup<AdamWOptions>,
    operands: { readonly taken: Tensor; readonly record: Tensor | undefined },
  ): void {
    updateScaledAdam("Adam", update, group, true, operands);
  }
}
