import "../plain/dispose.js";
import type { Tensor } from "../core/tensor.js";
import { describe } from "../plain/describe.js";
import { invalidArgument } from "../plain/errors.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { boolean } from "../plain/rules.js";
import { type LoadOptions, type LoadReport, loadInto, type StateAdapter, type StateDict } from "./stateDict.js";

/**
 * A part of a net (torch.nn.Module): parameters (learned), buffers (saved but not learned) and child modules, each with
 * a name. Children are the properties that hold a Module, and the modules given to `registerModule`. Names may contain
 * dots.
 */
export abstract class Module {
  /** Whether layers such as dropout and batch norm are in training mode. Set by `train` and `eval`. */
  training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #modules = new Map<string, Module>();

  /** Computes the outputs of the module: one tensor, or several by name. */
  abstract forward(x: Tensor, ...rest: Tensor[]): Tensor | Record<string, Tensor>;

  /** Adds a learned tensor and sets its `requiresGrad`. */
  registerParameter(name: string, tensor: Tensor): void {
    tensor.requiresGrad = true;
    this.#parameters.set(name, tensor);
  }

  /** Adds a tensor that is saved with the module but not learned. */
  registerBuffer(name: string, tensor: Tensor): void {
    this.#buffers.set(name, tensor);
  }

  /** Adds a child; the names inside it get the prefix `name.`. */
  registerModule(name: string, module: Module): void {
    this.#modules.set(name, module);
  }

  /** The children by name: registered ones first, then properties in the order in which they were set. */
  namedChildren(): [name: string, module: Module][] {
    const registered = new Set(this.#modules.values());
    const properties = Object.entries(this).filter(
      (entry): entry is [string, Module] => entry[1] instanceof Module && !registered.has(entry[1]),
    );
    return [...this.#modules, ...properties];
  }

  /** The children (torch.nn.Module.children), as {@link namedChildren} lists them. */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /**
   * This module, by the name "", and all modules in it at any depth, each once by its first name
   * (torch.nn.Module.named_modules).
   */
  namedModules(): [name: string, module: Module][] {
    return once(this.#collect((module) => [["", module] as [string, Module]]));
  }

  /** This module and all modules in it, each once (torch.nn.Module.modules). */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Every learned tensor once, by its first name. */
  namedParameters(): [name: string, parameter: Tensor][] {
    return once(this.#collect((module) => module.#parameters));
  }

  /** Every learned tensor once. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Every tensor that is saved but not learned once, by its first name (torch.nn.Module.named_buffers). */
  namedBuffers(): [name: string, buffer: Tensor][] {
    return once(this.#collect((module) => module.#buffers));
  }

  /** Every tensor that is saved but not learned once (torch.nn.Module.buffers). */
  buffers(): Tensor[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /**
   * Calls `fn` with each module once, those inside a module before it, such as to set initial values
   * (torch.nn.Module.apply).
   */
  apply(fn: (module: Module) => void): this {
    const seen = new Set<Module>();
    const visit = (module: Module): void => {
      if (seen.has(module)) return;
      seen.add(module);
      for (const child of module.children()) visit(child);
      fn(module);
    };
    visit(this);
    return this;
  }

  /** Sets `requiresGrad` of all parameters: false freezes the module (torch.nn.Module.requires_grad_). */
  requiresGrad_(requiresGrad = true): this {
    checkValue("requiresGrad_", "requiresGrad", requiresGrad, boolean);
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Parameters and buffers by name: the tensors themselves, not copies. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.#collect((module) => [...module.#parameters, ...module.#buffers]));
  }

  /**
   * Copies values by name, from tensors or host arrays, into the module's tensors (torch.nn.Module.load_state_dict),
   * and reports which. `num_batches_tracked` is optional. Unless `strict` is false, throws one `state-dict-mismatch`
   * that lists all missing names, unexpected names and wrong shapes; then nothing has changed.
   */
  loadStateDict(dict: StateDict, options: LoadOptions = {}): LoadReport {
    checkOptions<LoadOptions>("loadStateDict", options, { strict: boolean, reshape: boolean });
    if (typeof dict !== "object" || dict === null) {
      throw invalidArgument(`loadStateDict: the state is ${describe(dict)}, expected tensors or host arrays by name`, {
        code: "pass module.stateDict(), or await io.readSafetensors(path)",
      });
    }
    const adapterOf = (name: string, from: readonly number[]) => this.stateAdapter(name, from);
    const named = Object.entries(dict).map(([name, value]) => {
      const own = this.stateName(name);
      return [Object.hasOwn(dict, own) ? name : own, value] as const;
    });
    const target = { own: this.stateDict(), adapterOf, stateName: (name: string) => this.stateName(name) };
    return loadInto(target, Object.fromEntries(named), options);
  }

  /**
   * Converts a name in a dict or file to the name here. Override it for nets that are published under several names.
   */
  stateName(name: string): string {
    return name;
  }

  /**
   * Returns a function that converts values of shape `from` to the form of the tensor `name`, or undefined if only the
   * tensor's own shape fits. `loadStateDict` and `io.loadWeights` call it if shapes differ. Override it for nets whose
   * weights are published in another form.
   */
  stateAdapter(_name: string, _from: readonly number[]): StateAdapter | undefined {
    return undefined;
  }

  /** Switches this module and its children to training, or with false to evaluation. */
  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.namedChildren()) child.train(mode);
    return this;
  }

  /** Switches this module and its children to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** What `String(module)` says of the module itself, such as its options (torch.nn.Module.extra_repr). */
  extraRepr(): string {
    return "";
  }

  /** The module and those in it, line by line, as PyTorch prints them: class, options, and children by name. */
  toString(): string {
    // Throws where a module holds itself.
    this.modules();
    const extra = this.extraRepr();
    const children = this.namedChildren().map(
      ([name, child]) => `(${name}): ${String(child).replaceAll("\n", "\n  ")}`,
    );
    const lines = [...(extra ? [extra] : []), ...children];
    const inside = children.length > 0 ? `\n  ${lines.join("\n  ")}\n` : extra;
    return `${this.constructor.name}(${inside})`;
  }

  /** Frees the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Frees all parameters, their gradients and the buffers. */
  dispose(): void {
    this.zeroGrad();
    for (const tensor of new Set(Object.values(this.stateDict()))) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What `own` gives of this module and of those in it; names inside a child follow its own and a dot. */
  #collect<T>(own: (module: Module) => Iterable<[string, T]>, ancestors: readonly Module[] = []): [string, T][] {
    if (ancestors.includes(this)) {
      throw invalidArgument(
        `${this.constructor.name}: the module holds itself, directly or through a child`,
        "keep references to a parent in a #private field, which is not registered",
      );
    }
    const path = [...ancestors, this];
    const inherited = this.namedChildren().flatMap(([prefix, child]) =>
      child.#collect(own, path).map(([name, item]): [string, T] => [name === "" ? prefix : `${prefix}.${name}`, item]),
    );
    return [...own(this), ...inherited];
  }
}

/** Each item by the first of its names. */
function once<T>(named: [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return named.filter(([, item]) => !seen.has(item) && seen.add(item));
}
