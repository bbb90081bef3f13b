import { planCopy } from "@fcn/kernels";
import type { Storage } from "../device/storage.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, otherDevice, show, TensorError } from "../plain/errors.js";
import { identityOrder, type Order, sameLayout, stridesOf } from "../plain/layout.js";
import { checkDifferentiable, checkElements, type MakeOptions } from "../plain/makeOptions.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import type { DType, Nested, TypedData } from "../plain/types.js";
import type { Runtime } from "./runtime.js";

/** What a tensor knows of the op that made it. */
export interface GraphNode {
  readonly op: string;
  /** Called when the tensor is disposed. */
  release(): void;
}

/**
 * An n-dimensional array on the GPU. Shapes are logical (images are NCHW); how the elements lie in memory is private.
 * Dispose it, or let a `device.scope` or `using` do so.
 */
export class Tensor {
  readonly shape: readonly number[];
  #grad: Tensor | undefined;
  #node: GraphNode | undefined;
  #requiresGrad: boolean;
  #disposed = false;

  private constructor(
    /** @internal */
    readonly runtime: Runtime,
    private readonly memory: Storage,
    shape: readonly number[],
    readonly dtype: DType,
    /** @internal How the elements lie in memory. */
    readonly order: Order,
    requiresGrad: boolean,
    private readonly tracked: boolean,
  ) {
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.#requiresGrad = requiresGrad;
    if (tracked) runtime.track(this);
  }

  /** @internal An uninitialised tensor. */
  static empty(runtime: Runtime, shape: readonly number[], options: MakeOptions = {}): Tensor {
    const { dtype = "float32", order = identityOrder(shape.length), requiresGrad = false, tracked = true } = options;
    checkElements("allocate", shape);
    return new Tensor(runtime, runtime.allocate(shape), [...shape], dtype, order, requiresGrad, tracked);
  }

  /** @internal The memory behind the tensor. Throws after dispose. */
  get storage(): Storage {
    if (this.#disposed) throw this.runtime.scopes.disposed(this, `a tensor of shape ${show(this.shape)}`);
    return this.memory;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (this.#node && !value) {
      throw new TensorError({
        code: "invalid-argument",
        message: `requiresGrad: a tensor of shape ${show(this.shape)} that ${this.#node.op} made cannot be cut from its history`,
        fix: { code: "use detach(), which gives the same values without a history, or noGrad" },
      });
    }
    if (value) checkDifferentiable("requiresGrad", this.dtype);
    this.#requiresGrad = value;
  }

  /**
   * Accumulated gradient of a leaf, of the same shape; undefined before backward and after `opt.zeroGrad()`. The leaf
   * owns it; a gradient that is replaced belongs to the open scope, or to whoever holds it.
   */
  get grad(): Tensor | undefined {
    return this.#grad;
  }

  set grad(value: Tensor | undefined | null) {
    if (value) {
      checkGradient("grad", value, this);
      if (value.dtype !== this.dtype) throw gradientType(value.dtype, this);
    }
    if (this.#grad && this.#grad !== value && !this.#grad.disposed) this.runtime.scopes.add(this.#grad);
    this.#grad = value ?? undefined;
  }

  /** Frees the gradient. */
  zeroGrad(): void {
    this.#grad?.dispose();
    this.#grad = undefined;
  }

  /** @internal The op that made this tensor, when a gradient flows through it. */
  get node(): GraphNode | undefined {
    return this.#node;
  }

  /** Number of elements. */
  get size(): number {
    return elementsOf(this.shape);
  }

  /** @internal Counts a change of the values in place: a backward pass that saved the ones before refuses to run. */
  bumpVersion(): void {
    this.storage.version++;
  }

  /** @internal */
  attach(node: GraphNode): void {
    this.#node = node;
    this.#requiresGrad = true;
  }

  /** @internal Takes an untracked gradient in place of the one that is there, which is freed. */
  replaceGrad(grad: Tensor): void {
    this.#grad?.dispose();
    this.#grad = grad;
  }

  /** @internal An untracked handle on the same memory, without gradient, under another shape or order. */
  alias(options: { shape?: readonly number[]; order?: Order; tracked?: boolean } = {}): Tensor {
    const { shape = this.shape, order = this.order, tracked = false } = options;
    return new Tensor(this.runtime, this.storage.retain(), shape, this.dtype, order, false, tracked);
  }

  /** The same values without a gradient history (torch.Tensor.detach). */
  detach(): Tensor {
    return this.alias({ tracked: true });
  }

  /** The elements in row-major order of the logical shape. Rejects with what went wrong on the device, if anything. */
  async data(): Promise<TypedData> {
    const dense = contiguous(this);
    const bytes = await this.runtime.engine.read("data", dense.storage).finally(() => dense.dispose());
    return this.dtype === "float32" ? new Float32Array(bytes) : new Int32Array(bytes);
  }

  /** The only element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TensorError({
        code: "invalid-shape",
        message: `item: the tensor has shape ${show(this.shape)} (${this.size} elements), expected one element`,
        fix: { code: "use data() or array(), or reduce the tensor first" },
      });
    }
    return (await this.data())[0]!;
  }

  /** The elements as nested arrays. */
  async array(): Promise<Nested> {
    const data = await this.data();
    const build = (dim: number, offset: number, step: number): Nested => {
      if (dim === this.shape.length) return data[offset]!;
      const inner = step / this.shape[dim]!;
      return Array.from({ length: this.shape[dim]! }, (_, i) => build(dim + 1, offset + i * inner, inner));
    };
    return build(0, 0, data.length);
  }

  /** @internal Whether the elements already lie in `order`. */
  isStoredIn(order: Order): boolean {
    return sameLayout(this.shape, this.order, order);
  }

  /** Frees the handle (and the memory, unless the tape or another view still needs it). Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.memory.release();
    if (this.tracked) this.runtime.untrack(this);
    this.#grad?.dispose();
    this.#node?.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Throws, in the name of the op, unless an operand is a tensor that was not disposed. */
export function checkLive(op: string, name: string, x: Tensor): void {
  if (!(x instanceof Tensor)) {
    throw invalidArgument(`${op}: ${name} is ${describe(x)}, expected a tensor`, {
      code:
        name === "bias"
          ? "where there is none pass undefined in its place, then the options"
          : `pass ${name} as a tensor, for example device.tensor(values, shape)`,
    });
  }
  if (x.disposed) throw x.runtime.scopes.disposed(x, `${op}: ${name} of shape ${show(x.shape)}`);
}

/** Throws unless `gradient` can be that of the tensor `of`. */
export function checkGradient(op: string, gradient: Tensor, of: Tensor): void {
  checkLive(op, "gradient", gradient);
  if (!sameShape(gradient.shape, of.shape)) {
    throw new TensorError({
      code: "invalid-shape",
      message: `${op}: gradient has shape ${show(gradient.shape)}, the tensor ${show(of.shape)}`,
      fix: "pass a gradient of the shape of the tensor",
    });
  }
  if (gradient.runtime !== of.runtime) throw otherDevice(op, gradient.shape);
}

const gradientType = (found: DType, { shape, dtype }: Tensor): TensorError =>
  new TensorError({
    code: "invalid-dtype",
    message: `grad: the gradient of a tensor of shape ${show(shape)} and dtype ${dtype} has dtype ${found}`,
    fix: `convert it: x.grad = gradient.to("${dtype}")`,
  });

/**
 * Copies the elements of `from` into `to`, which has the same shape and dtype, in whatever orders the two are stored.
 */
export function copyInto(to: Tensor, from: Tensor): void {
  const { shape: sizes, runtime } = from;
  const plan = planCopy(
    { sizes, from: stridesOf(sizes, from.order), to: stridesOf(sizes, to.order) },
    runtime.capabilities,
  );
  runtime.run("copy", plan, { src: from, dst: to });
}

/** An untracked handle on the same values stored in `order`: an alias when they already are, else a copy. */
export function inOrder(x: Tensor, order: Order): Tensor {
  if (x.isStoredIn(order)) return x.alias({ order });
  const out = Tensor.empty(x.runtime, x.shape, { dtype: x.dtype, order, tracked: false });
  copyInto(out, x);
  return out;
}

export const contiguous = (x: Tensor): Tensor => inOrder(x, identityOrder(x.shape.length));

/** An untracked copy in memory of its own, in the storage order of x. */
export function copyOf(x: Tensor): Tensor {
  const out = Tensor.empty(x.runtime, x.shape, { dtype: x.dtype, order: x.order, tracked: false });
  x.runtime.engine.copy(x.storage, out.storage, x.size * 4);
  return out;
}
