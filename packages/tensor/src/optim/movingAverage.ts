import "../plain/dispose.js";
import { planSgd } from "@fcn/kernels";
import { noGrad } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { assign } from "../ops/assign.js";
import { checkFloat } from "../ops/operands.js";
import { sub } from "../ops/pointwise.generated.js";
import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { upTo } from "../plain/rules.js";
import { isList } from "../plain/shape.js";
import { assignSaved, checkState, type SavedState } from "./state.js";

export interface MovingAverageOptions {
  /** Share of the average that each update keeps. Default 0.999. */
  readonly decay?: number;
}

const OP = "ExponentialMovingAverage";

/**
 * A moving average of weights, which often predicts better than the weights themselves (torch.optim.swa_utils with
 * `get_ema_multi_avg_fn`; timm's ModelEma). It starts as a copy of the parameters; `update` makes it decay average + (1
 * - decay) w. Takes float32 tensors: a module's parameters, and its buffers where they should be averaged too. `update`
 * may be part of a captured step. Throws `invalid-argument` for an empty list and `invalid-dtype` for another type.
 *
 * @example
 * ```ts
 * import { createDevice, nn, optim } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const net = new nn.Linear(device, 2, 1);
 * const average = new optim.ExponentialMovingAverage(net.parameters(), { decay: 0.99 });
 * // after each optimizer.step():
 * average.update();
 * // to validate by the average, and train on by the weights:
 * average.swap();
 * average.swap();
 * average.dispose();
 * device.destroy();
 * ```
 */
export class ExponentialMovingAverage {
  /** Share of the average that each update keeps. May be changed between updates. */
  decay: number;
  readonly #pairs: readonly { readonly parameter: Tensor; readonly average: Tensor }[];

  constructor(params: readonly Tensor[], options: MovingAverageOptions = {}) {
    checkOptions<MovingAverageOptions>(OP, options, { decay: upTo(1) });
    if (!isList(params) || params.length === 0) {
      const given = isList(params) ? "there are no parameters" : `params is ${describe(params)}`;
      throw invalidArgument(`${OP}: ${given}`, { code: "pass module.parameters(), or a list" });
    }
    params.forEach((parameter, i) => {
      checkFloat(OP, `parameter ${i}`, parameter);
    });
    this.decay = options.decay ?? 0.999;
    this.#pairs = params.map((parameter) => ({ parameter, average: copyOf(parameter) }));
  }

  /** The averages, in the order of the parameters. The object owns them. */
  get averages(): readonly Tensor[] {
    return this.#pairs.map(({ average }) => average);
  }

  /** Moves the averages towards the parameters; call it after each `optimizer.step()`. */
  update(): void {
    noGrad(() => {
      for (const { parameter, average } of this.#pairs) {
        using difference = sub(average, parameter);
        using g = inOrder(difference, average.order);
        // A step of plain SGD by the difference is the average of both, in place.
        const call = () => planned(planSgd, [{ count: average.size, isFirst: false }] as const, this.#settings());
        average.runtime.run(OP, call, { g, w: average });
        average.bumpVersion();
      }
    });
  }

  /** Copies the averages into the parameters, whose own values are lost. */
  copyTo(): void {
    for (const { parameter, average } of this.#pairs) assign(parameter, average);
  }

  /** Exchanges averages and parameters, such as around a validation; a second call puts them back. */
  swap(): void {
    for (const { parameter, average } of this.#pairs) {
      using held = copyOf(parameter);
      assign(parameter, average);
      assign(average, held);
    }
  }

  /** The averages for a checkpoint, by the position of the parameter: the tensors themselves, not copies. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.averages.map((average, i) => [`${i}.average`, average]));
  }

  /**
   * Copies what `stateDict` returned, as tensors or host arrays. Throws `state-dict-mismatch` if names or shapes do not
   * fit the parameters; then nothing has changed.
   */
  loadStateDict(dict: SavedState): void {
    const own = Object.entries(this.stateDict());
    const wanted = new Map(own.map(([name, { shape }]) => [name, shape]));
    checkState(OP, dict, wanted, "load the state into an average of the same parameters as the one that saved it");
    for (const [name, average] of own) assignSaved(average, dict[name]!);
  }

  /** Frees the averages, but not the parameters. */
  dispose(): void {
    for (const { average } of this.#pairs) average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #settings() {
    return { lr: 1 - this.decay, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };
  }
}

/** A copy that no scope frees, in the memory format of x. */
function copyOf(x: Tensor): Tensor {
  const copy = Tensor.empty(x.runtime, x.shape, { order: x.order, tracked: false });
  x.runtime.copy(x, copy);
  return copy;
}
