import type { Tensor } from "../core/tensor.js";
import { CROSS_ENTROPY, type CrossEntropyOptions } from "../ops/crossEntropy.js";
import {
  type BCEWithLogitsOptions,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  type LossOptions,
  l1Loss,
  mseLoss,
  nllLoss,
} from "../ops/index.js";
import { BCE_WITH_LOGITS, LOSS } from "../ops/losses.js";
import { checkOptions } from "../plain/options.js";
import type { RulesOf } from "../plain/rules.js";
import { Module } from "./module.js";

/** A loss with fixed options, which are checked when it is made. Weights among them are buffers, as in PyTorch. */
export abstract class Loss<Options extends object> extends Module {
  readonly #options: Options;

  constructor(
    name: string,
    private readonly op: (input: Tensor, target: Tensor, options: Options) => Tensor,
    rules: RulesOf<Options>,
    options: Options,
    buffers: Readonly<Record<string, Tensor | undefined>> = {},
  ) {
    super();
    checkOptions<Options>(name, options, rules);
    this.#options = options;
    for (const [buffer, tensor] of Object.entries(buffers)) if (tensor) this.registerBuffer(buffer, tensor);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return this.op(input, target, this.#options);
  }
}

/** {@link crossEntropy} with fixed options (torch.nn.CrossEntropyLoss); `ignoreIndex` is 255 by default. */
export class CrossEntropyLoss extends Loss<CrossEntropyOptions> {
  constructor(options: CrossEntropyOptions = {}) {
    super("nn.CrossEntropyLoss", crossEntropy, CROSS_ENTROPY, options, { weight: options.weight });
  }
}

/** {@link nllLoss} with fixed options (torch.nn.NLLLoss); `ignoreIndex` is 255 by default. */
export class NLLLoss extends Loss<CrossEntropyOptions> {
  constructor(options: CrossEntropyOptions = {}) {
    super("nn.NLLLoss", nllLoss, CROSS_ENTROPY, options, { weight: options.weight });
  }
}

/** {@link binaryCrossEntropyWithLogits} with fixed options (torch.nn.BCEWithLogitsLoss). */
export class BCEWithLogitsLoss extends Loss<BCEWithLogitsOptions> {
  constructor(options: BCEWithLogitsOptions = {}) {
    const buffers = { weight: options.weight, pos_weight: options.posWeight };
    super("nn.BCEWithLogitsLoss", binaryCrossEntropyWithLogits, BCE_WITH_LOGITS, options, buffers);
  }
}

/** {@link mseLoss} with fixed options (torch.nn.MSELoss). */
export class MSELoss extends Loss<LossOptions> {
  constructor(options: LossOptions = {}) {
    super("nn.MSELoss", mseLoss, LOSS, options);
  }
}

/** {@link l1Loss} with fixed options (torch.nn.L1Loss). */
export class L1Loss extends Loss<LossOptions> {
  constructor(options: LossOptions = {}) {
    super("nn.L1Loss", l1Loss, LOSS, options);
  }
}
