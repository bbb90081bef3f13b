import type { Capabilities, Tuning } from "@fcn/kernels";
import { full, random } from "./core/create.js";
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
  interface Tensor extends TensorMethods {
    /** The device that the tensor lies on. */
    readonly device: Device;
  }
}

/** What the function of `device.scope` receives. */
export interface Scope {
  /**
   * Keeps a tensor alive after the scope ends, also one that a scope inside it makes (it belongs to the enclosing
   * scope, if any). Returns it.
   */
  keep<T extends Tensor>(tensor: T): T;
}

const devices = new WeakMap<Runtime, Device>();

/** A GPU and the tensors on it. */
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

  /** @internal Devices are made by {@link createDevice}. */
  static on(engine: Engine): Device {
    return new Device(engine);
  }

  get info(): DeviceInfo {
    return this.#engine.info;
  }

  get limits(): Record<string, number> {
    return readLimits(this.#engine.limits);
  }

  /** What the choice of kernels and tiles goes by. */
  get capabilities(): Capabilities {
    return this.#engine.capabilities;
  }

  /** Live tensors, and bytes allocated by them and by ops and reserved on the GPU, each with its peak. */
  memory(): MemoryReport {
    return this.#engine.memory(this.runtime.liveTensors);
  }

  /** Counts the peaks of `memory()`, allocated and reserved, from here on (torch.cuda.reset_peak_memory_stats). */
  resetPeakMemory(): void {
    this.#engine.resetPeak();
  }

  /**
   * A tensor with host data: numbers in row-major order, by default of shape [length], or nested as `array()` gives
   * them, which have a shape of their own (torch.tensor). Throws when the length does not match the shape.
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
    if (options.order) made.assign(values);
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

  /** A tensor whose elements all are `value` (torch.full). */
  full(shape: readonly number[], value: number, options: MakeOptions = {}): Tensor {
    return full("full", this.runtime, shape, value, options);
  }

  /** Standard normal numbers (torch.randn), float32. The same seed gives the same values on a device. */
  randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
    return random("randn", this.runtime, shape, { mode: "normal", a: 0, b: 1 }, options);
  }

  /**
   * Uniform numbers in [low, high), by default [0, 1) (torch.rand), float32. The same seed gives the same values on a
   * device.
   */
  rand(
    shape: readonly number[],
    options: RandomOptions & { readonly low?: number; readonly high?: number } = {},
  ): Tensor {
    const { low = 0, high = 1, ...rest } = options;
    return random("rand", this.runtime, shape, { mode: "uniform", a: low, b: high }, rest);
  }

  /**
   * Runs `fn` and frees every tensor made on this device meanwhile, but for those that it returns (in arrays or plain
   * objects too) or hands to `keep`. Works across await; scopes may nest but not overlap: then
   * one of them rejects with `scope-overlap`, at its end or where it uses what the other freed.
   */
  async scope<T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> {
    const { scopes } = this.runtime;
    const frame = scopes.open();
    const scope: Scope = {
      keep(tensor) {
        if (!(tensor instanceof Tensor)) {
          throw invalidArgument(`scope.keep: ${describe(tensor)} is not a tensor`, "hand it tensors, one a call");
        }
        frame.kept.add(tensor);
        return tensor;
      },
    };
    let result: T | undefined;
    try {
      result = await scopes.run(frame, () => fn(scope));
    } finally {
      scopes.close(frame, result);
    }
    if (!this.#engine.isDestroyed) await this.#engine.throttle();
    return result as T;
  }

  /** Waits until all work that was asked for is done. Rejects with what went wrong, if anything. */
  sync(): Promise<void> {
    return this.#engine.sync();
  }

  /** Compiles the kernels that `fn` would need without blocking the thread; nothing is computed. `fn` must not read. */
  warmUp(fn: () => unknown): Promise<void> {
    return this.runtime.warmUp(fn);
  }

  /**
   * Measures which tiles are fastest here for the ops of `fn`, such as a training step, and uses them from then on.
   * `fn` runs without computing, so it must not read. Returns the tiles that differ from the rules', for
   * `createDevice({ tuning })`. Last bits depend on tiles.
   */
  tune(fn: () => unknown, options: { readonly onProgress?: TuningProgress } = {}): Promise<Tuning> {
    return this.runtime.tune(fn, options.onProgress);
  }

  /** Gives free GPU memory back to the system until at most `bytes`, by default none, are kept for reuse. */
  trim(bytes = 0): void {
    this.#engine.trim(bytes);
  }

  /** Ends the device: pending reads reject, and Node may exit. */
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

for (const [name, value] of Object.entries(tensorMethods)) {
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}
Object.defineProperty(Tensor.prototype, "device", {
  configurable: true,
  get(this: Tensor) {
    return devices.get(this.runtime);
  },
});
