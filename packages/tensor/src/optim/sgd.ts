import { planScaledSgd, planSgd, type SgdStep, type Updated } from "@fcn/kernels";
import { planned } from "../core/planned.js";
import type { Tensor } from "../core/tensor.js";
import { invalidArgument } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { boolean, finite, from, type RulesOf } from "../plain/rules.js";
import {
  type OneOrTwo,
  Optimizer,
  type ParameterGroup,
  type ResolvedGroup,
  scaledOf,
  type Update,
  updatedOf,
} from "./optimizer.js";
import type { ParameterState } from "./state.js";

export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  readonly lr?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default 0. */
  readonly dampening?: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Default false. */
  readonly nesterov?: boolean;
}

const RULES: RulesOf<SGDOptions> = {
  lr: from(0),
  momentum: from(0),
  dampening: finite,
  weightDecay: from(0),
  nesterov: boolean,
};

/**
 * Stochastic gradient descent (torch.optim.SGD) for gradient g and weight w: d = g + weightDecay w; m = momentum m + (1
 * - dampening) d, with m = d at the first step; w = w - lr m, or with Nesterov w - lr (d + momentum m). Throws
 * `invalid-argument` for options out of range and for parameters that are not float32 leaves.
 *
 * @example
 * ```ts
 * import { createDevice, mul, optim, sum } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const w = device.tensor([2], [1], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.25, momentum: 0.9 });
 * sum(mul(w, w)).backward();
 * optimizer.step();
 * console.log(await w.item()); // 2 - 0.25 * 4 = 1
 * device.destroy();
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: readonly Tensor[] | readonly ParameterGroup<SGDOptions>[], options: SGDOptions = {}) {
    checkOptions<SGDOptions>("SGD", options, RULES);
    const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
    super("SGD", params, RULES, { lr, momentum, dampening, weightDecay, nesterov }, (group) =>
      group.momentum === 0 ? [] : ["momentum"],
    );
  }

  protected override checkGroup({ momentum, dampening, nesterov }: ResolvedGroup<SGDOptions>): void {
    if (!nesterov || (momentum > 0 && dampening === 0)) return;
    throw invalidArgument(
      `SGD: nesterov with momentum ${momentum} and dampening ${dampening}; it needs a momentum above 0 and dampening 0`,
      "set momentum, for example to 0.9, or nesterov to false",
    );
  }

  /** @internal */
  protected override update(updates: OneOrTwo<Update>, group: ResolvedGroup<SGDOptions>): void {
    const [{ w, g, state }, second] = updates;
    const call = () => planned(planSgd, updates.map(updatedOf) as [Updated, Updated], settingsOf(group));
    const [m, m2] = [momentumOf(group, state), momentumOf(group, second?.state)];
    w.runtime.run("SGD", call, { g, w, m, g2: second?.g, w2: second?.w, m2 });
  }

  /** @internal */
  protected override updateScaled(
    update: Update,
    group: ResolvedGroup<SGDOptions>,
    { taken, record }: { readonly taken: Tensor; readonly record: Tensor | undefined },
  ): void {
    const { w, g, state } = update;
    const call = () => planned(planScaledSgd, scaledOf(update, record), settingsOf(group));
    w.runtime.run("SGD", call, { g, w, m: momentumOf(group, state), taken, record });
  }
}

const momentumOf = ({ momentum }: ResolvedGroup<SGDOptions>, state: ParameterState | undefined): Tensor | undefined =>
  momentum === 0 ? undefined : state?.buffers.momentum;

const settingsOf = ({ lr, momentum, dampening, weightDecay, nesterov }: ResolvedGroup<SGDOptions>): SgdStep => ({
  lr,
  momentum,
  dampening,
  weightDecay,
  nesterov,
});
