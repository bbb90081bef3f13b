import { describe } from "../describe.js";
import { invalidArgument } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/**
 * Runs modules in a row: each takes the result of the one before (torch.nn.Sequential). The modules are named 0, 1, 2,
 * ...
 *
 * @example
 * ```ts
 * import { createDevice, nn } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const net = new nn.Sequential(new nn.Conv2d(device, 3, 8, { kernelSize: 3 }), new nn.ReLU());
 * console.log(net.forward(device.randn([1, 3, 8, 8])).shape); // [1, 8, 6, 6]
 * console.log(Object.keys(net.stateDict())); // 0.weight, 0.bias
 * device.destroy();
 * ```
 */
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

  /** Frees each intermediate result after its last use. The tape keeps what a backward pass needs. */
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
