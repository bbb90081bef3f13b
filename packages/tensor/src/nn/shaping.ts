import type { Tensor } from "../core/tensor.js";
import { invalidArgument, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { integer } from "../plain/rules.js";
import { dimIndex, elementsOf } from "../plain/shape.js";
import { Module } from "./module.js";
import { listed } from "./repr.js";

/** Returns its argument (torch.nn.Identity): a place for a layer that is left out. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

export interface FlattenOptions {
  /** First dim to merge; negative ones count from the end. Default 1. */
  readonly startDim?: number;
  /** Last dim to merge. Default -1. */
  readonly endDim?: number;
}

/** Merges neighbouring dims into one (torch.nn.Flatten), by default all but the first: [N, C, H, W] -> [N, C H W]. */
export class Flatten extends Module {
  readonly #startDim: number;
  readonly #endDim: number;

  constructor(options: FlattenOptions = {}) {
    super();
    checkOptions<FlattenOptions>("nn.Flatten", options, { startDim: integer, endDim: integer });
    const { startDim = 1, endDim = -1 } = options;
    this.#startDim = startDim;
    this.#endDim = endDim;
  }

  override forward(x: Tensor): Tensor {
    const rank = x.shape.length;
    const [start, end] = [this.#startDim, this.#endDim].map((dim) => dimIndex("nn.Flatten", dim, rank)) as [
      number,
      number,
    ];
    if (start > end) {
      throw invalidArgument(
        `nn.Flatten: startDim ${this.#startDim} lies behind endDim ${this.#endDim} for x ${show(x.shape)}`,
        "pass a startDim that is not behind endDim",
      );
    }
    const merged = elementsOf(x.shape.slice(start, end + 1));
    return x.reshape([...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)]);
  }

  override extraRepr(): string {
    return listed({ start_dim: this.#startDim, end_dim: this.#endDim });
  }
}
