import { type BackwardOptions, runBackward } from "./autograd.js";
import type { Storage } from "./device/storage.js";
import type { Device } from "./device.js";
import { otherDevice, show, TensorError } from "./errors.js";
import { contiguous, copyOf, type Order, sameLayout } from "./layout.js";
import { checkDifferentiable, type MakeOptions } from "./makeOptions.js";
import { converted, to } from "./ops/cast.js";
import { checkLive } from "./ops/operands.js";
import { addGradients } from "./ops/pointwise.js";
import { permute, reshape } from "./ops/view.js";
import { elementsOf, sameShape } from "./shape.js";
import type { TapeNode } from "./tape.js";

export type DType = "float32" | "int32";
export type TypedData = Float32Array | Int32Array;
/** Numbers nested as deep as the tensor has dimensions. */
export type Nested = number | Nested[];

/**
 * An n-dimensional array on the GPU. Shapes are logical (images are NCHW); how the elements lie in memory is private.
 * Dispose it, or let a `device.scope` or `using` do so.
 */
export class Tensor {
  readonly shape: readonly number[];
  #grad: Tensor | undefined;
  #node: TapeNode | undefined;
  #requiresGrad: boolean;
  #disposed = false;

  private constructor(
    readonly device: Device,
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
    if (tracked) device.track(this);
  }

  /** @internal Tensors are made by a device or an op. */
  static on(device: Device, memory: Storage, shape: readonly number[], options: Required<MakeOptions>): Tensor {
    const { dtype, order, requiresGrad, tracked } = options;
    return new Tensor(device, memory, shape, dtype, order, requiresGrad, tracked);
  }

  /** @internal The memory behind the tensor. Throws after dispose. */
  get storage(): Storage {
    if (this.#disposed) throw this.device.disposedError(this, `a tensor of shape ${show(this.shape)}`);
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
        fix: "use detach(), which gives the same values without a history, or noGrad",
      });
    }
    if (value) checkDifferentiable("requiresGrad", this.dtype);
    this.#requiresGrad = value;
  }

  /**
   * Accumulated gradient of a leaf, of the same shape; undefined before backward and after `opt.zeroGrad()`. The leaf owns
   * it; a gradient that is replaced belongs to the open scope, or to whoever holds it.
   */
  get grad(): Tensor | undefined {
    return this.#grad;
  }

  set grad(value: Tensor | undefined | null) {
    if (value) {
      checkGradient("grad", value, this);
      if (value.dtype !== this.dtype) throw gradientType(value.dtype, this);
    }
    if (this.#grad && this.#grad !== value && !this.#grad.disposed) this.device.adopt(this.#grad);
    this.#grad = value ?? undefined;
  }

  /** Frees the gradient. */
  zeroGrad(): void {
    this.#grad?.dispose();
    this.#grad = undefined;
  }

  /** @internal The op that made this tensor, when a gradient flows through it. */
  get node(): TapeNode | undefined {
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
  attach(node: TapeNode): void {
    this.#node = node;
    this.#requiresGrad = true;
  }

  /** @internal Adds an untracked gradient to that of this leaf, which owns it from here on. */
  addGradient(grad: Tensor, add: (a: Tensor, b: Tensor) => Tensor): void {
    if (!this.#requiresGrad || this.#disposed) {
      grad.dispose();
      return;
    }
    if (!this.#grad || this.#grad.disposed) {
      // A gradient may be changed in place (clipGradNorm, assign), which nothing else may see.
      this.#grad = grad.storage.shared ? copyOf(grad) : grad;
      if (this.#grad !== grad) grad.dispose();
      return;
    }
    const sum = add(this.#grad, grad);
    this.#grad.dispose();
    grad.dispose();
    this.#grad = sum;
  }

  /** @internal An untracked handle on the same memory, without gradient, under another shape or order. */
  alias(options: { shape?: readonly number[]; order?: Order; tracked?: boolean } = {}): Tensor {
    const { shape = this.shape, order = this.order, tracked = false } = options;
    return new Tensor(this.device, this.storage.retain(), shape, this.dtype, order, false, tracked);
  }

  /** The same values without a gradient history (torch.Tensor.detach). */
  detach(): Tensor {
    return this.alias({ tracked: true });
  }

  /** The same elements in row-major order under another shape; one size may be -1. */
  reshape(shape: readonly number[]): Tensor {
    return reshape(this, shape);
  }

  /** The dimensions in another order (torch.Tensor.permute). */
  permute(dims: readonly number[]): Tensor {
    return permute(this, dims);
  }

  /**
   * The values as another type (torch.Tensor.to): fractions are cut off, values out of the range of int32 become the nearest end of it and
   * NaN 0. Only float32 to float32 has a gradient.
   */
  to(dtype: DType): Tensor {
    return to(this, dtype);
  }

  /**
   * Adds the gradient of this tensor to `grad` of every leaf it depends on. `gradient` is needed unless this has one
   * element. Saved activations are freed on the way unless `retainGraph`.
   */
  backward(gradient?: Tensor, options: BackwardOptions = {}): void {
    this.device.checkUsable("backward");
    if (this.#disposed) throw this.device.disposedError(this, `backward: a tensor of shape ${show(this.shape)}`);
    if (!gradient && this.size !== 1) {
      throw new TensorError({
        code: "invalid-argument",
        message: `backward: a tensor of shape ${show(this.shape)} needs the gradient of its elements`,
        fix: "reduce it to one number with sum() or mean(), or pass a gradient of the same shape",
      });
    }
    if (gradient) checkGradient("backward", gradient, this);
    const seed = gradient ? converted(gradient, this.dtype) : this.device.full(this.shape, 1, { tracked: false });
    runBackward(this, seed, options, addGradients);
  }

  /** Copies values of the same shape into this tensor's memory: another tensor's, converted as by `to`, or host data in row-major order. */
  assign(source: Tensor | ArrayLike<number>): void {
    this.device.assign(this, source);
  }

  /** The elements in row-major order of the logical shape. Rejects with what went wrong on the device, if anything. */
  async data(): Promise<TypedData> {
    using dense = contiguous(this);
    const bytes = await this.device.read(dense);
    return this.dtype === "float32" ? new Float32Array(bytes) : new Int32Array(bytes);
  }

  /** The only element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TensorError({
        code: "invalid-shape",
        message: `item: the tensor has shape ${show(this.shape)} (${this.size} elements), expected one element`,
        fix: "use data() or array(), or reduce the tensor first",
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
    if (this.tracked) this.device.untrack(this);
    this.#grad?.dispose();
    this.#node?.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Throws unless `gradient` can be that of the tensor `of`. */
function checkGradient(op: string, gradient: Tensor, of: Tensor): void {
  checkLive(op, "gradient", gradient);
  if (!sameShape(gradient.shape, of.shape)) {
    throw new TensorError({
      code: "invalid-shape",
      message: `${op}: gradient has shape ${show(gradient.shape)}, the tensor ${show(of.shape)}`,
      fix: "pass a gradient of the shape of the tensor",
    });
  }
  if (gradient.device !== of.device) throw otherDevice(op, gradient.shape);
}

const gradientType = (found: DType, { shape, dtype }: Tensor): TensorError =>
  new TensorError({
    code: "invalid-dtype",
    message: `grad: the gradient of a tensor of shape ${show(shape)} and dtype ${dtype} has dtype ${found}`,
    fix: `convert it: x.grad = gradient.to("${dtype}")`,
  });
