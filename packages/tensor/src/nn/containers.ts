import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { Module } from "./module.js";

function checkModule(op: string, name: string | number, module: unknown): void {
  if (module instanceof Module) return;
  throw invalidArgument(`${op}: module ${name} is ${describe(module)}`, "pass modules, such as new nn.ReLU()");
}

/** A module that holds others and has no forward pass of its own. */
export abstract class Container extends Module {
  override forward(): never {
    throw invalidArgument(
      `nn.${this.constructor.name}: it has no forward pass`,
      "call the forward of the modules in it, or use nn.Sequential",
    );
  }
}

/**
 * A list of modules, named 0, 1, 2, ... (torch.nn.ModuleList). It can be looped over.
 *
 * @example
 * ```ts
 * import { createDevice, nn } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const layers = new nn.ModuleList([new nn.Linear(device, 4, 8), new nn.Linear(device, 8, 2)]);
 * let x = device.ones([1, 4]);
 * for (const layer of layers) x = layer.forward(x) as typeof x;
 * console.log(x.shape, Object.keys(layers.stateDict())); // [1, 2], 0.weight, 0.bias, 1.weight, 1.bias
 * device.destroy();
 * ```
 */
export class ModuleList<Member extends Module = Module> extends Container implements Iterable<Member> {
  readonly #members: Member[] = [];

  constructor(modules: Iterable<Member> = []) {
    super();
    for (const module of modules) this.append(module);
  }

  get length(): number {
    return this.#members.length;
  }

  /** The module at an index; negative ones count from the end. */
  at(index: number): Member | undefined {
    return this.#members.at(index);
  }

  /** Adds a module at the end. */
  append(module: Member): this {
    checkModule("nn.ModuleList", this.length, module);
    this.registerModule(String(this.length), module);
    this.#members.push(module);
    return this;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members[Symbol.iterator]();
  }
}

/** Modules by name (torch.nn.ModuleDict), in the order in which they were added. */
export class ModuleDict<Member extends Module = Module> extends Container implements Iterable<[string, Member]> {
  readonly #members = new Map<string, Member>();

  constructor(modules: Readonly<Record<string, Member>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  get(name: string): Member | undefined {
    return this.#members.get(name);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** Adds a module, or replaces the one of this name. */
  set(name: string, module: Member): this {
    checkModule("nn.ModuleDict", name, module);
    this.registerModule(name, module);
    this.#members.set(name, module);
    return this;
  }

  keys(): string[] {
    return [...this.#members.keys()];
  }

  values(): Member[] {
    return [...this.#members.values()];
  }

  [Symbol.iterator](): Iterator<[string, Member]> {
    return this.#members.entries();
  }
}
