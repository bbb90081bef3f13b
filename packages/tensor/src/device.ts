import "./plain/dispose.js";
import type { Capabilities, Tuning } from "@fcn/kernels";
import type { ChainedMethods } from "./chained.js";
import { type Captured, type CaptureResult, capture } from "./core/capture.js";
import { full, random } from "./core/create.js";
import { define } from "./core/method.js";
import { Runtime } from "./core/runtime.js";
import { Tensor } from "./core/tensor.js";
import { type DeviceInfo, readLimits } from "./device/adapter.js";
import type { MemoryReport } from "./device/buffers.js";
import type { Engine } from "./device/engine.js";
import type { TuningProgress } from "./device/tuner.js";
import { type TensorMethods, tensorMethods } from "./methods.js";
import { describe } from "./plain/describe.js";
import { invalidArgument, invalidShape, show, type TensorError } from "./plain/errors.js";
import { hostValues } from "./plain/hostValues.js";
import { checkMake, type MakeOptions, type RandomOptions } from "./plain/makeOptions.js";
import { checkNested, flatten, type TensorData } from "./plain/nested.js";
import { elementsOf } from "./plain/shape.js";

declare module "./core/tensor.js" {
  interface Tensor extends TensorMethods, ChainedMethods {
    /** The device that holds the tensor. */
    readonly device: Device;
  }
}

/** The argument of the function passed to `device.scope`. */
export interface Scope {
  /**
   * Keeps a tensor alive after the scope ends, and returns it. Also works for a tensor made in a nested scope. A kept
   * tensor then belongs to the enclosing scope, if there is one.
   */
  keep<T extends Tensor>(tensor: T): T;
}

const devices = new WeakMap<Runtime, Device>();

/** A GPU and the tensors on it. Created by {@link createDevice}. */
export class Device {
  /** Resolves with the reason when the device is lost or destroyed. */
  readonly lost: Promise<TensorError>;
  /** @internal */
  readonly runtime: Runtime;

  private constructor(engine: Engine) {
    this.runtime = new Runtime(engine);
    this.lost = engine.lost;
    devices.set(this.runtime, this);
  }

  /** @internal Use {@link createDevice}. */
  static on(engine: Engine): Device {
    return new Device(engine);
  }

  /** The adapter that the device runs on. */
  get info(): DeviceInfo {
    return this.#engine.info;
  }

  /** The WebGPU limits of the device, by name. */
  get limits(): Record<string, number> {
    return readLimits(this.#engine.limits);
  }

  /** The properties of the GPU that decide which kernels and tiles are used. */
  get capabilities(): Capabilities {
    return this.#engine.capabilities;
  }

  /** Whether tensors may be float16: the adapter has `shader-f16`, and `createDevice` was not told to go without. */
  get hasFloat16(): boolean {
    return this.#engine.hasHalves;
  }

  /** Number of live tensors, and bytes in use and reserved on the GPU, each with its peak. */
  memory(): MemoryReport {
    return this.#engine.memory.report(this.runtime.liveTensors);
  }

  /** Resets the peaks that `memory()` reports (torch.cuda.reset_peak_memory_stats). */
  resetPeakMemory(): void {
    this.#engine.memory.resetPeak();
  }

  /**
   * A tensor with values from the host (torch.tensor). Flat data is in row-major order and gets the shape [length] by
   * default; nested arrays, as `array()` returns them, have their own shape. Throws `invalid-shape` if the number of
   * values does not match the shape.
   */
  tensor(data: TensorData, shape?: readonly number[], options: MakeOptions = {}): Tensor {
    const { dtype = "float32" } = options;
    const { values: flat, shape: own } = flatten("tensor", data);
    const wanted = shape ?? own;
    checkMake("tensor", wanted, options);
    checkNested("tensor", data, own, wanted);
    if (flat.length !== elementsOf(wanted)) {
      throw invalidShape(
        `tensor: ${flat.length} values for shape ${show(wanted)}, which holds ${elementsOf(wanted)}`,
        "pass as many values as the product of the sizes",
      );
    }
    const values = hostValues("tensor", flat, dtype, this.#engine.options.nanCheck);
    const made = Tensor.empty(this.runtime, wanted, options);
    if (options.order || dtype === "float16") made.assign(values);
    else this.#engine.write(made.storage, values);
    return made;
  }

  /** A tensor of zeros (torch.zeros). */
  zeros(shape: readonly number[], options: MakeOptions = {}): Tensor {
    return full("zeros", this.runtime, shape, 0, options);
  }

  /** A tensor of ones (torch.ones). */
  ones(shape: readonly number[], options: MakeOptions = {}): Tensor {
    return full("ones", this.runtime, shape, 1, options);
  }

  /** A tensor whose elements are all `value` (torch.full). */
  full(shape: readonly number[], value: number, options: MakeOptions = {}): Tensor {
    return full("full", this.runtime, shape, value, options);
  }

  /** Standard normal numbers, float32 (torch.randn). The same seed gives the same values on the same device. */
  randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
    return random("randn", this.runtime, shape, { mode: "normal", a: 0, b: 1 }, options);
  }

  /**
   * Uniform numbers in [low, high), by default [0, 1), float32 (torch.rand). A seed fixes the values on a device.
   */
  rand(
    shape: readonly number[],
    options: RandomOptions & { readonly low?: number; readonly high?: number } = {},
  ): Tensor {
    const { low = 0, high = 1, ...rest } = options;
    return random("rand", this.runtime, shape, { mode: "uniform", a: low, b: high }, rest);
  }

  /**
   * Runs `fn`, then frees every tensor made on this device meanwhile, except those that `fn` returns (also inside
   * arrays, maps or plain objects) or passes to `keep`. Works across await. Scopes may nest but not overlap: a tensor
   * belongs to the innermost scope that is open, and a scope that ends before one that was opened after it rejects with
   * `scope-overlap`.
   *
   * @example
   * ```ts
   * import { createDevice, mul, sum } from "@fcn/tensor";
   *
   * const device = await createDevice();
   * const x = device.tensor([1, 2, 3]);
   * const y = await device.scope(() => sum(mul(x, x))); // frees the product, keeps the sum
   * console.log(await y.item()); // 14
   * device.destroy();
   * ```
   */
  async scope<T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> {
    const { scopes } = this.runtime;
    const frame = scopes.open();
    const scope: Scope = {
      keep(tensor) {
        if (!(tensor instanceof Tensor)) {
          throw invalidArgument(`scope.keep: ${describe(tensor)} is not a tensor`, "pass it one tensor per call");
        }
        frame.kept.add(tensor);
        return tensor;
      },
    };
    let result: T | undefined;
    try {
      result = await fn(scope);
    } finally {
      scopes.close(frame, result);
    }
    if (!this.#engine.isDestroyed) await this.#engine.throttle();
    return result as T;
  }

  /**
   * Records the work that `fn` does with tensors once a set of shapes, and replays it in later calls without running
   * `fn`: a whole prediction, or a whole training step with loss, backward and optimiser, for next to no time of the
   * host (as torch.cuda.make_graphed_callables does). The bits are those of `fn`.
   *
   * The first two calls with tensors of given shapes run `fn`; from the third on only its work on the GPU is done. What
   * changes from call to call goes on changing: the arguments, parameters, learning rates and schedules, steps of
   * optimisers, seeds of dropout, running statistics. Everything else is as in the second call, such as numbers and
   * modes that `fn` reads.
   *
   * `fn` must be synchronous, do the same for the same shapes, return tensors (also in arrays and objects) or nothing,
   * and zero the gradients that it makes; otherwise a call rejects with `not-replayable`. Results belong to the scope
   * of the caller. With `debug`, and while kernels are warmed up, every call runs `fn`.
   *
   * @example
   * ```ts
   * import { createDevice, mean, mul, nn, optim, sub, type Tensor } from "@fcn/tensor";
   *
   * const device = await createDevice();
   * const net = new nn.Conv2d(device, 1, 1, { kernelSize: 3, padding: 1, seed: 1 });
   * const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
   * const step = device.capture((x: Tensor, target: Tensor) => {
   *   const error = sub(net.forward(x), target);
   *   const loss = mean(mul(error, error));
   *   loss.backward();
   *   optimizer.step();
   *   optimizer.zeroGrad();
   *   return loss;
   * });
   * const x = device.randn([1, 1, 16, 16]);
   * for (let i = 0; i < 100; i++) {
   *   await device.scope(async () => {
   *     const loss = await step(x, x);
   *     if (i % 25 === 0) console.log(await loss.item());
   *   });
   * }
   * step.dispose();
   * device.destroy();
   * ```
   */
  capture<Args extends readonly Tensor[], Result extends CaptureResult>(
    fn: (...inputs: Args) => Result,
  ): Captured<Args, Result> {
    return capture(this.runtime, fn);
  }

  /** Waits until all work so far is done. Rejects with the first error since the last awaited call, if any. */
  sync(): Promise<void> {
    return this.#engine.sync();
  }

  /**
   * Compiles the kernels that `fn` needs, at the same time, without blocking and without computing. Steps of optimisers
   * and seeds stay as they are. `fn` must not read tensors.
   */
  warmUp(fn: () => unknown): Promise<void> {
    return this.runtime.warmUp(fn);
  }

  /**
   * Measures which tiles are fastest on this GPU for the ops of `fn`, such as a training step, and uses them from then
   * on. `fn` runs without computing, so it must not read tensors. Returns the tiles that differ from the defaults, for
   * `createDevice({ tuning })`. The last bits of results depend on the tiles.
   */
  tune(fn: () => unknown, options: { readonly onProgress?: TuningProgress } = {}): Promise<Tuning> {
    return this.runtime.tune(fn, options.onProgress);
  }

  /**
   * Returns free GPU memory to the system, until at most `bytes` (default 0) are kept for reuse. Captured functions
   * whose memory is returned are recorded anew.
   */
  trim(bytes = 0): void {
    this.#engine.memory.trim(bytes);
  }

  /** Ends the device: pending reads reject, and Node can exit. */
  destroy(): void {
    this.#engine.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  get #engine(): Engine {
    return this.runtime.engine;
  }
}

for (const [name, value] of Object.entries(tensorMethods)) define(name, value);
Object.defineProperty(Tensor.prototype, "device", {
  configurable: true,
  get(this: Tensor) {
    return devices.get(this.runtime);
  },
});
