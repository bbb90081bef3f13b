import type { Tensor } from "../core/tensor.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, TensorError } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { boolean } from "../plain/rules.js";
import { type LoadOptions, type LoadReport, loadInto, type StateAdapter, type StateDict } from "./stateDict.js";

/**
 * A part of a net: parameters (learned), buffers (kept with them but not learned) and child modules, each by name, as
 * torch.nn.Module. A child is any property that holds a Module, and what `registerModule` was given; names may hold
 * dots.
 */
export abstract class Module {
  /** Whether layers such as dropout and batch norm behave as in training. Set by `train` and `eval`. */
  training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #modules = new Map<string, Module>();

  abstract forward(x: Tensor, ...rest: Tensor[]): Tensor | Record<string, Tensor>;

  /** Adds a learned tensor and turns its `requiresGrad` on. */
  registerParameter(name: string, tensor: Tensor): void {
    tensor.requiresGrad = true;
    this.#parameters.set(name, tensor);
  }

  /** Adds a tensor that is saved with the module but not learned. */
  registerBuffer(name: string, tensor: Tensor): void {
    this.#buffers.set(name, tensor);
  }

  /** Adds a child whose names get the prefix `name.`. */
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

  /** Every learned tensor once, with the first name it has. */
  namedParameters(): [name: string, parameter: Tensor][] {
    const seen = new Set<Tensor>();
    return this.#collect((module) => module.#parameters).filter(([, tensor]) => {
      const fresh = !seen.has(tensor);
      seen.add(tensor);
      return fresh;
    });
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Parameters and buffers by name: the tensors themselves, not copies. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.#collect((module) => [...module.#parameters, ...module.#buffers]));
  }

  /**
   * Copies values in place from host arrays or tensors by name, and reports which. `num_batches_tracked` is optional.
   * Throws one TensorError ("state-dict-mismatch") that lists all missing and unexpected names and wrong shapes, unless
   * `strict` is false; then nothing has changed.
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
    const stateName = (name: string) => this.stateName(name);
    return loadInto({ own: this.stateDict(), adapterOf, stateName }, Object.fromEntries(named), options);
  }

  /**
   * The name that a tensor has here for its name in a dict or a file: a net overrides it whose weights are published
   * under several.
   */
  stateName(name: string): string {
    return name;
  }

  /**
   * What turns values of shape `from` into the form that the tensor `name` has here; undefined when only its own shape
   * fits. `loadStateDict` and `io.loadWeights` ask for it where shapes differ: a net overrides it whose weights are
   * published in another form.
   */
  stateAdapter(_name: string, _from: readonly number[]): StateAdapter | undefined {
    return undefined;
  }

  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.namedChildren()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
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

  #collect(own: (module: Module) => Iterable<[string, Tensor]>, ancestors: readonly Module[] = []): [string, Tensor][] {
    if (ancestors.includes(this)) throw cycle(this);
    const path = [...ancestors, this];
    const inherited = this.namedChildren().flatMap(([prefix, child]) =>
      child.#collect(own, path).map(([name, tensor]): [string, Tensor] => [`${prefix}.${name}`, tensor]),
    );
    return [...own(this), ...inherited];
  }
}

function cycle(module: Module): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: `${module.constructor.name}: the module holds itself, directly or through a child`,
    fix: "keep references to a parent in a #private field, which is not registered",
  });
}
