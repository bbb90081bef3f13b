import type { Tensor } from "../core/tensor.js";
import { CHANNELS, drop, ELEMENTS, type Form } from "../ops/dropout.js";
import { checkOptions } from "../plain/options.js";
import { probability, seed as seedRule } from "../plain/rules.js";
import { mixSeed, nextSeed } from "./initialise.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

export interface DropoutOptions {
  /** Probability of zeroing. Default 0.5. */
  readonly p?: number;
  /** Determines the masks of all calls. Default: as for layers with parameters. */
  readonly seed?: number;
}

/** Base class of dropout layers: the seed differs from call to call, and repeats from run to run. */
export abstract class SeededModule extends Module {
  readonly #p: number;
  #seed: number | undefined;
  #calls = 0;

  constructor(options: DropoutOptions = {}) {
    super();
    const op = `nn.${new.target.name}`;
    checkOptions<DropoutOptions>(op, options, { p: probability, seed: seedRule });
    const { p = 0.5, seed } = options;
    this.#p = p;
    this.#seed = seed;
  }

  /** Number of masks drawn in training so far. It determines the next mask, so a checkpoint must keep it. */
  get calls(): number {
    return this.#calls;
  }

  set calls(value: number) {
    this.#calls = value;
  }

  override extraRepr(): string {
    return listed({ p: this.#p, inplace: false });
  }

  /** @internal */
  protected drop(form: Form, x: Tensor): Tensor {
    const { training } = this;
    this.#seed ??= nextSeed(x.device);
    const seed = this.#seed;
    return drop(form, x, { p: this.#p, training }, () => mixSeed(seed, this.#calls++));
  }
}

/** In training, zeroes each element with probability p and divides the others by 1 - p (torch.nn.Dropout). */
export class Dropout extends SeededModule {
  override forward(x: Tensor): Tensor {
    return this.drop(ELEMENTS, x);
  }
}

/** As {@link Dropout}, but zeroes whole channels (torch.nn.Dropout2d). */
export class Dropout2d extends SeededModule {
  override forward(x: Tensor): Tensor {
    return this.drop(CHANNELS, x);
  }
}
