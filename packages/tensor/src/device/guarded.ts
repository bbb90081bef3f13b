import { TensorError } from "../plain/errors.js";
import { deviceLost, gpuError } from "./errors.js";
import type { Simulation } from "./simulate.js";

/** What browsers and Dawn say, in whatever call, of a device that is gone or whose GPU process has ended. */
const LOSS = /external instance|instance (was )?dropped|device("?\])? (is|was|has been) (lost|destroyed)|lost device/i;
/** Milliseconds in which news of a loss follows the first call that failed for it. */
const NEWS_MS = 50;

let isAnyLost = false;

/** Whether a device was lost here, so that the system may be busy to bring the GPU back. */
export const wasDeviceLost = (): boolean => isAnyLost;

/**
 * A GPUDevice through which all calls into WebGPU pass. What they throw, or reject with, once the device is gone is
 * `device-lost`; the bytes of all buffers are counted.
 */
export class GuardedDevice {
  /** Resolves when the device is gone, however that came to be known. */
  readonly lost: Promise<TensorError>;
  /** Submits that the GPU has not finished. */
  inFlight = 0;
  /** Bytes of all buffers that the GPU holds, those included that are destroyed but still in use by submitted work. */
  reservedBytes = 0;
  peakReservedBytes = 0;
  #lostError: TensorError | undefined;
  /** What ends the waiting for promises that may never settle. */
  readonly #waiting = new Set<() => void>();
  #tellLost: (error: TensorError) => void = () => {};
  #submits = 0;
  /** Buffers that were destroyed while the submit of this number was not finished. */
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

  /** Why the device is gone; undefined while it is there. */
  get lostError(): TensorError | undefined {
    return this.#lostError;
  }

  /** Takes the device for gone, for the first reason that is given. */
  lose(reason: string): TensorError {
    isAnyLost = true;
    this.#lostError ??= deviceLost(reason);
    this.#tellLost(this.#lostError);
    for (const end of this.#waiting) end();
    return this.#lostError;
  }

  /** Ends the device. */
  destroy(): void {
    this.lose("destroy() was called");
    this.call((device) => device.destroy());
  }

  /**
   * Calls WebGPU. Throws `device-lost` in place of any error once the device is gone, and `gpu-error` for another one.
   */
  call<T>(use: (device: GPUDevice) => T): T {
    try {
      return use(this.device);
    } catch (error) {
      throw this.translate(error as Error);
    }
  }

  /**
   * Waits for what WebGPU promises, or for the end of the device. Rejects with `device-lost` once that is gone, else
   * with the error as it is.
   */
  async wait<T>(use: (device: GPUDevice) => Promise<T>): Promise<T> {
    if (this.#lostError) throw this.#lostError;
    const promise = this.call(use);
    // A race with `lost` itself would keep every promise that was ever waited for.
    let end: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#waiting.add(end);
    try {
      const result = await Promise.race([promise, gone.then(() => Promise.reject(this.#lostError))]);
      return result;
    } catch (error) {
      // The loss may be told right after what failed for it.
      if (!isLoss(error as Error)) await Promise.race([gone, delay(NEWS_MS)]);
      throw isLoss(error as Error) ? this.lose((error as Error).message) : (this.#lostError ?? error);
    } finally {
      this.#waiting.delete(end);
    }
  }

  /** The error of the library that stands for one of WebGPU. */
  translate(error: Error): TensorError {
    if (this.#lostError) return this.#lostError;
    if (error instanceof TensorError) return error;
    return isLoss(error) ? this.lose(error.message) : gpuError(error);
  }

  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = this.call((device) => device.createBuffer(descriptor));
    this.reservedBytes += descriptor.size;
    this.peakReservedBytes = Math.max(this.peakReservedBytes, this.reservedBytes);
    return buffer;
  }

  /** Destroys a buffer. Its bytes count until the work that was submitted has ended: only then they are free. */
  destroyBuffer(buffer: GPUBuffer, bytes: number): void {
    this.call(() => buffer.destroy());
    if (this.inFlight > 0) this.#retired.push({ bytes, submit: this.#submits });
    else this.reservedBytes -= bytes;
  }

  /** Takes a buffer that was refused out of the count; `peakBefore` was the peak when it was asked for. */
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
