// The compilers of users know Symbol.dispose by this; their settings need not name it.
/// <reference lib="esnext.disposable" preserve="true" />
import "../plain/dispose.js";
import { planCopy, planFlat } from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import type { Storage } from "../device/storage.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, invalidDType, invalidShape, otherDevice, show } from "../plain/errors.js";
import { identityOrder, type Order, sameLayout, stridesOf } from "../plain/layout.js";
import { checkDifferentiable, checkElements, type MakeOptions } from "../plain/makeOptions.js";
import { historyOf, type Printed, printHead } from "../plain/print.js";
import { elementsOf, sameShape } from "../plain/shape.js";
import type { DType, Nested, TypedData } from "../plain/types.js";
import { planned } from "./planned.js";
import type { Runtime } from "./runtime.js";

/** What `console.log` of Node, Deno and Bun asks an object for. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** What a tensor knows about the op that made it. */
export interface GraphNode {
  readonly op: string;
  release(): void;
}

/**
 * An n-dimensional array on the GPU. Shapes are logical (images are [N, C, H, W]); the memory format is private. Free
 * it with `dispose` or `using`, or make it inside a `device.scope`.
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
    /** @internal The memory format. */
    readonly order: Order,
    requiresGrad: boolean,
    private readonly tracked: boolean,
  ) {
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.#requiresGrad = requiresGrad;
    if (tracked) runtime.track(this);
  }

  /** @internal The values are undefined. */
  static empty(runtime: Runtime, shape: readonly number[], options: MakeOptions = {}): Tensor {
    const { dtype = "float32", order = identityOrder(shape.length), requiresGrad = false, tracked = true } = options;
    checkElements("allocate", shape);
    return new Tensor(runtime, runtime.allocate(shape, dtype), [...shape], dtype, order, requiresGrad, tracked);
  }

  /** @internal Throws after dispose. */
  get storage(): Storage {
    if (this.#disposed) throw this.runtime.scopes.disposed(this, `a tensor of shape ${show(this.shape)}`);
    return this.memory;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Whether `backward` computes a gradient for this tensor. To cut it from its history, use `detach`. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (this.#node && !value) {
      throw invalidArgument(
        `requiresGrad: a tensor of shape ${show(this.shape)} made by ${this.#node.op} cannot be cut off from its history`,
        { code: "use detach(), which gives the same values without a history, or noGrad" },
      );
    }
    if (value) checkDifferentiable("requiresGrad", this.dtype);
    this.#requiresGrad = value;
  }

  /**
   * The accumulated gradient of a leaf, with the same shape; undefined before backward and after `opt.zeroGrad()`. The
   * leaf owns it. A gradient that is replaced belongs to the open scope, or to whoever holds it.
   */
  get grad(): Tensor | undefined {
    return this.#grad;
  }

  set grad(value: Tensor | undefined | null) {
    if (value) {
      checkGradient("grad", value, this);
      if (value.dtype !== this.dtype) {
        throw invalidDType(
          `grad: the gradient of a tensor of shape ${show(this.shape)} and dtype ${this.dtype} has dtype ${value.dtype}`,
          `convert it: x.grad = gradient.to("${this.dtype}")`,
        );
      }
    }
    if (this.#grad && this.#grad !== value && !this.#grad.disposed) this.runtime.scopes.add(this.#grad);
    this.#grad = value ?? undefined;
  }

  /** Frees the gradient. */
  zeroGrad(): void {
    this.#grad?.dispose();
    this.#grad = undefined;
  }

  /** @internal The op that made this tensor, if a gradient flows through it. */
  get node(): GraphNode | undefined {
    return this.#node;
  }

  /** Number of elements. */
  get size(): number {
    return elementsOf(this.shape);
  }

  /** @internal Records a change in place, after which a backward pass that saved the earlier values refuses to run. */
  bumpVersion(): void {
    this.storage.version++;
    if (this.runtime.engine.repeater.isRecording) this.runtime.touched?.changed.push(this.storage);
  }

  /** @internal */
  attach(node: GraphNode): void {
    this.#node = node;
    this.#requiresGrad = true;
  }

  /** @internal Replaces the gradient with an untracked one, and frees the earlier one. */
  replaceGrad(grad: Tensor): void {
    this.#grad?.dispose();
    this.#grad = grad;
  }

  /** @internal A handle on the same memory without a gradient, by default untracked, with another shape or order. */
  alias(options: { shape?: readonly number[]; order?: Order; tracked?: boolean } = {}): Tensor {
    const { shape = this.shape, order = this.order, tracked = false } = options;
    return new Tensor(this.runtime, this.storage.retain(), shape, this.dtype, order, false, tracked);
  }

  /** @internal A handle on the same memory that does not keep it. */
  borrow(): Tensor {
    return new Tensor(this.runtime, this.storage.borrow(), this.shape, this.dtype, this.order, false, false);
  }

  /** The same values without a gradient history (torch.Tensor.detach). Shares the memory. */
  detach(): Tensor {
    return this.alias({ tracked: true });
  }

  /**
   * Reads the elements in row-major order, as an Int32Array or, float16 as well as float32, as a Float32Array. Rejects
   * with the first error on the device since the last awaited call, if any.
   */
  async data(): Promise<TypedData> {
    using wide = this.dtype === "float16" ? floatsOf(this) : this.alias();
    const dense = contiguous(wide);
    const bytes = await this.runtime.engine.read("data", dense.storage).finally(() => dense.dispose());
    return this.dtype === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
  }

  /** Reads the only element (torch.Tensor.item). Throws `invalid-shape` if there is more than one. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw invalidShape(
        `item: the tensor has shape ${show(this.shape)} (${this.size} elements), expected one element`,
        { code: "use data() or array(), or reduce the tensor first" },
      );
    }
    return (await this.data())[0]!;
  }

  /** Reads the elements as nested arrays (torch.Tensor.tolist). */
  async array(): Promise<Nested> {
    const data = await this.data();
    const build = (dim: number, offset: number, step: number): Nested => {
      if (dim === this.shape.length) return data[offset]!;
      const inner = step / this.shape[dim]!;
      return Array.from({ length: this.shape[dim]! }, (_, i) => build(dim + 1, offset + i * inner, inner));
    };
    return build(0, 0, data.length);
  }

  /**
   * Reads the elements and returns them as PyTorch prints a tensor, for example `tensor([[1., 2.]])`: four decimals,
   * and the ends of each dimension alone if there are more than 1000 elements. In place of `grad_fn` stands the op.
   */
  async show(): Promise<string> {
    const data = await this.data();
    const { printValues } = await import("../plain/printValues.js");
    const printed = this.#printed();
    return printValues(data, printed, historyOf(printed));
  }

  /** Shape, dtype and history, without waiting for the device. `show` has the values too. */
  toString(): string {
    return printHead(this.#printed());
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  #printed(): Printed {
    const { shape, dtype, requiresGrad, disposed } = this;
    return { shape, dtype, requiresGrad, op: this.#node?.op, disposed };
  }

  /** @internal Whether the elements already lie in `order`. */
  isStoredIn(order: Order): boolean {
    return sameLayout(this.shape, this.order, order);
  }

  /**
   * Frees the tensor and its gradient. The memory is kept while the tape or another view needs it. Safe to call twice.
   */
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

/** Throws, naming the op, unless the operand is a tensor that was not disposed. */
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

/** Throws unless `gradient` can be the gradient of `of`. */
export function checkGradient(op: string, gradient: Tensor, of: Tensor): void {
  checkLive(op, "gradient", gradient);
  if (!sameShape(gradient.shape, of.shape)) {
    throw invalidShape(
      `${op}: gradient has shape ${show(gradient.shape)}, the tensor ${show(of.shape)}`,
      "pass a gradient of the shape of the tensor",
    );
  }
  if (gradient.runtime !== of.runtime) throw otherDevice(op, gradient.shape);
}

/** Copies the elements of `from` into `to`, which has the same shape and dtype; the memory formats may differ. */
export function copyInto(to: Tensor, from: Tensor): void {
  const { shape: sizes, runtime } = from;
  const plan = planned(planCopy, { sizes, from: stridesOf(sizes, from.order), to: stridesOf(sizes, to.order) });
  runtime.run("copy", plan, { src: from, dst: to });
}

/** An untracked handle on the same values stored in `order`: an alias if they already are, otherwise a copy. */
export function inOrder(x: Tensor, order: Order): Tensor {
  if (x.isStoredIn(order)) return x.alias({ order });
  const out = Tensor.empty(x.runtime, x.shape, { dtype: x.dtype, order, tracked: false });
  copyInto(out, x);
  return out;
}

export const contiguous = (x: Tensor): Tensor => inOrder(x, identityOrder(x.shape.length));

/** The values of a tensor of floats as `dtype`, untracked, in the memory format of x. */
export function floatsOf(x: Tensor, dtype: DType = "float32"): Tensor {
  const out = Tensor.empty(x.runtime, x.shape, { dtype, order: x.order, tracked: false });
  x.runtime.run("to", planned(planFlat, { name: rows.copy.name, part: "forward" }, x.size), { a: x, result: out });
  return out;
}

/** An untracked copy in its own memory, in the memory format of x. */
export function copyOf(x: Tensor): Tensor {
  const out = Tensor.empty(x.runtime, x.shape, { dtype: x.dtype, order: x.order, tracked: false });
  x.runtime.copy(x, out);
  return out;
}
