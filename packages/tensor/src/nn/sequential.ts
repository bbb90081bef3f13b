import type { Tensor } from "../core/tensor.js";
import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { Module } from "./module.js";

/** torch.nn.Sequential: each module takes the result of the one before. The names are 0, 1, 2, … */
export class Sequential extends Module {
  readonly #sequence: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    const other = modules.find((module) => !(module instanceof Module));
    if (other !== undefined) {
      throw invalidArgument(
        `nn.Sequential: module ${modules.indexOf(other)} is ${describe(other)}`,
        "pass modules one by one: new nn.Sequential(a, b), or new nn.Sequential(...list)",
      );
    }
    this.#sequence = modules;
    modules.forEach((module, i) => {
      this.registerModule(String(i), module);
    });
  }

  /** Features in between are freed at their last use; what a backward pass needs stays on the tape. */
  override forward(x: Tensor): Tensor {
    let value = x;
    for (const module of this.#sequence) {
      const next = module.forward(value) as Tensor;
      if (next !== value && value !== x) value.dispose();
      value = next;
    }
    return value;
  }
}
