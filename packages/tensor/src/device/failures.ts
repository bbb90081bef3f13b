import type { GuardedDevice } from "./guarded.js";

/**
 * The errors on the GPU since the last awaited call. WebGPU reports them some time after the command, in error scopes;
 * neither the browser nor Dawn prints what a scope catches.
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

  /** Throws the failure that was kept, if any, and forgets it. */
  throwFirst(): void {
    const failure = this.#first;
    this.#first = undefined;
    if (failure) throw failure;
  }

  /** Waits for the outcome of all earlier commands. Rejects with `device-lost` if the device is gone. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await this.gpu.wait(() => Promise.all(this.#pending));
  }

  /** Requests a buffer, which commands can use at once. `settled` later gets the reason for a refusal, or undefined. */
  createBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    return this.#create(() => this.gpu.createBuffer(descriptor), descriptor.size, settled);
  }

  /** The same for a texture that takes so many bytes. */
  createTexture(
    descriptor: GPUTextureDescriptor,
    bytes: number,
    settled: (refusal: string | undefined) => void,
  ): GPUTexture {
    return this.#create(() => this.gpu.createTexture(descriptor, bytes), bytes, settled);
  }

  #create<T>(create: () => T, bytes: number, settled: (refusal: string | undefined) => void): T {
    const { peakReservedBytes } = this.gpu;
    this.gpu.call((device) => device.pushErrorScope("out-of-memory"));
    const made = create();
    this.#follow((error) => {
      if (error) this.#refusals++;
      if (error) this.gpu.forget(bytes, peakReservedBytes);
      settled(error?.message.split("\n")[0]);
    });
    return made;
  }

  /** A buffer that is reported as refused, to simulate a fault. */
  refuseBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    this.gpu.call((device) => device.pushErrorScope("out-of-memory"));
    const buffer = this.gpu.createBuffer(descriptor);
    this.#follow(() => settled("the refusal is simulated by FCN_SIMULATE"));
    return buffer;
  }

  /** Watches commands until the returned function is called. */
  watch(): () => void {
    const before = this.#refusals;
    this.gpu.call((device) => device.pushErrorScope("validation"));
    return () =>
      this.#follow((error) => {
        // If a buffer was refused meanwhile, commands that use it fail too, and the refusal is the better explanation.
        if (error && this.#refusals === before) this.record(new Error(error.message));
      });
  }

  /** Calls `use` with what the innermost error scope caught, as soon as that is known. */
  #follow(use: (error: GPUError | null) => void): void {
    const scope = this.gpu.call((device) => device.popErrorScope());
    // This rejects if the device is lost.
    const failed = (error: Error) => void this.gpu.translate(error);
    const done: Promise<void> = scope.then(use, failed).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }
}
