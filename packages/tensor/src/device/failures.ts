import type { GuardedDevice } from "./guarded.js";

/**
 * What went wrong on the GPU since the last awaited call. WebGPU tells of it some time after a command was given, in
 * error scopes; whatever they catch is not printed by the browser or by Dawn.
 */
export class Failures {
  #first: Error | undefined;
  /** Buffers that were refused so far. */
  #refusals = 0;
  readonly #pending = new Set<Promise<void>>();

  constructor(private readonly gpu: GuardedDevice) {}

  /** Keeps the first failure for the next awaited call. */
  record(error: Error): void {
    this.#first ??= this.gpu.translate(error);
  }

  /** Throws the failure that was kept, once. */
  throwFirst(): void {
    const failure = this.#first;
    this.#first = undefined;
    if (failure) throw failure;
  }

  /** Waits until it is known how all earlier commands fared. Rejects with `device-lost` where the device is gone. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await this.gpu.wait(() => Promise.all(this.#pending));
  }

  /**
   * Asks for a buffer. `settled` is told later why there is none, or else undefined; until then the buffer can be used
   * in commands.
   */
  createBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    const { peakReservedBytes } = this.gpu;
    this.gpu.call((device) => device.pushErrorScope("out-of-memory"));
    const buffer = this.gpu.createBuffer(descriptor);
    this.#follow((error) => {
      if (error) this.#refusals++;
      if (error) this.gpu.forget(descriptor.size, peakReservedBytes);
      settled(error?.message.split("\n")[0]);
    });
    return buffer;
  }

  /** A buffer that is reported as refused, for a simulated fault. */
  refuseBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    this.gpu.call((device) => device.pushErrorScope("out-of-memory"));
    const buffer = this.gpu.createBuffer(descriptor);
    this.#follow(() => settled("the refusal is simulated by FCN_SIMULATE"));
    return buffer;
  }

  /** Watches the commands up to the call of what it returns. */
  watch(): () => void {
    const before = this.#refusals;
    this.gpu.call((device) => device.pushErrorScope("validation"));
    return () =>
      this.#follow((error) => {
        // Where a buffer was refused meanwhile, commands on it fail too, and the refusal says why.
        if (error && this.#refusals === before) this.record(new Error(error.message));
      });
  }

  /** Uses what the innermost error scope caught, once that is known. */
  #follow(use: (error: GPUError | null) => void): void {
    const scope = this.gpu.call((device) => device.popErrorScope());
    // It rejects when the device is lost.
    const failed = (error: Error) => void this.gpu.translate(error);
    const done: Promise<void> = scope.then(use, failed).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }
}
