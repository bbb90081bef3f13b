import { TensorError } from "../plain/errors.js";
import { deviceLost, gpuError } from "./errors.js";
import type { Simulation } from "./simulate.js";

/** How browsers and Dawn say, in any call, that a device is gone or that its GPU process has ended. */
const LOSS = /external instance|instance (was )?dropped|device("?\])? (is|was|has been) (lost|destroyed)|lost device/i;
/** Milliseconds to wait, after a call has failed, for the news that the device was lost. */
const NEWS_MS = 50;

let isAnyLost = false;

/** Whether a device was lost in this process, in which case the system may still be bringing the GPU back. */
export const wasDeviceLost = (): boolean => isAnyLost;

/**
 * A GPUDevice that every call to WebGPU goes through. Once the device is gone, all of them throw or reject with
 * `device-lost`. Also counts the bytes of all buffers.
 */
export class GuardedDevice {
  /** Resolves when the device is gone, whatever told us so. */
  readonly lost: Promise<TensorError>;
  /** Submits that the GPU has not finished. */
  inFlight = 0;
  /** Bytes of all buffers that the GPU holds, including destroyed ones that submitted work still uses. */
  reservedBytes = 0;
  peakReservedBytes = 0;
  #lostError: TensorError | undefined;
  /** Callbacks that end the waits for promises that may never settle. */
  readonly #waiting = new Set<() => void>();
  #tellLost: (error: TensorError) => void = () => {};
  #submits = 0;
  /** Buffers destroyed before the submit with this number had finished. */
  readonly #retired: { readonly bytes: number; readonly submit: number }[] = [];

  constructor(
    private readonly device: GPUDevice,
    private readonly simulation: Simulation | undefined,
  ) {
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    device.lost.then(
      ({ message, reason }) => this.lose(message || reason),
      (error: Error) => this.lose(error.message),
    );
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** Why the device is gone; undefined while it is not. */
  get lostError(): TensorError | undefined {
    return this.#lostError;
  }

  /** Marks the device as lost. The first reason given is kept. */
  lose(reason: string): TensorError {
    isAnyLost = true;
    this.#lostError ??= deviceLost(reason);
    this.#tellLost(this.#lostError);
    for (const end of this.#waiting) end();
    return this.#lostError;
  }

  destroy(): void {
    this.lose("destroy() was called");
    this.call((device) => device.destroy());
  }

  /** Calls WebGPU. Throws `device-lost` if the device is gone, whatever the error, and otherwise `gpu-error`. */
  call<T>(use: (device: GPUDevice) => T): T {
    try {
      return use(this.device);
    } catch (error) {
      throw this.translate(error as Error);
    }
  }

  /**
   * Waits for a promise of WebGPU or the end of the device. Rejects with `device-lost` if the device is gone, otherwise
   * with the original error.
   */
  async wait<T>(use: (device: GPUDevice) => Promise<T>): Promise<T> {
    if (this.#lostError) throw this.#lostError;
    const promise = this.call(use);
    // Racing against `lost` directly would keep every promise ever waited for alive.
    let end: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#waiting.add(end);
    try {
      const result = await Promise.race([promise, gone.then(() => Promise.reject(this.#lostError))]);
      return result;
    } catch (error) {
      // The news of a loss may arrive just after the call that failed because of it.
      if (!isLoss(error as Error)) await Promise.race([gone, delay(NEWS_MS)]);
      throw isLoss(error as Error) ? this.lose((error as Error).message) : (this.#lostError ?? error);
    } finally {
      this.#waiting.delete(end);
    }
  }

  /** Converts an error of WebGPU to one of this library. */
  translate(error: Error): TensorError {
    if (this.#lostError) return this.#lostError;
    if (error instanceof TensorError) return error;
    return isLoss(error) ? this.lose(error.message) : gpuError(error);
  }

  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = this.call((device) => device.createBuffer(descriptor));
    this.#count(descriptor.size);
    return buffer;
  }

  /** Like {@link createBuffer}; `bytes` is what the texture takes. */
  createTexture(descriptor: GPUTextureDescriptor, bytes: number): GPUTexture {
    const texture = this.call((device) => device.createTexture(descriptor));
    this.#count(bytes);
    return texture;
  }

  #count(bytes: number): void {
    this.reservedBytes += bytes;
    this.peakReservedBytes = Math.max(this.peakReservedBytes, this.reservedBytes);
  }

  /**
   * Destroys a buffer or a texture. Its bytes count until the submitted work has ended, since they are not free before
   * that.
   */
  destroyBuffer(buffer: GPUBuffer | GPUTexture, bytes: number): void {
    this.call(() => buffer.destroy());
    if (this.inFlight > 0) this.#retired.push({ bytes, submit: this.#submits });
    else this.reservedBytes -= bytes;
  }

  /** Stops counting a buffer that was refused; `peakBefore` is the peak before it was requested. */
  forget(bytes: number, peakBefore: number): void {
    this.reservedBytes -= bytes;
    this.peakReservedBytes = Math.max(peakBefore, this.reservedBytes);
  }

  submit(commands: GPUCommandBuffer): void {
    if (this.simulation?.isDue("device-lost")) this.device.destroy();
    this.call((device) => device.queue.submit([commands]));
    this.inFlight++;
    const submit = ++this.#submits;
    const done = (): void => {
      this.inFlight--;
      while (this.#retired[0] && this.#retired[0].submit <= submit) this.reservedBytes -= this.#retired.shift()!.bytes;
    };
    this.call((device) => device.queue.onSubmittedWorkDone()).then(done, (error: Error) => {
      done();
      this.lose(error.message);
    });
  }
}

/** Whether an error of WebGPU says that the GPU is gone. */
export const isLoss = (error: Error): boolean => LOSS.test(error.message);

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
