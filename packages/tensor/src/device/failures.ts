import { TensorError } from "../errors.js";

/**
 * What went wrong on the GPU since the last awaited call. WebGPU tells of it some time after a command was given, in error scopes; whatever they
 * catch is not printed by the browser or by Dawn.
 */
export class Failures {
  #first: Error | undefined;
  /** Buffers that were refused so far. */
  #refusals = 0;
  readonly #pending = new Set<Promise<void>>();

  constructor(private readonly device: GPUDevice) {}

  /** Keeps the first failure for the next awaited call. */
  record(error: Error): void {
    this.#first ??=
      error instanceof TensorError
        ? error
        : new TensorError({
            code: "gpu-error",
            message: `the GPU refused a command: ${error.message}`,
            fix: "this is a defect of the library: report it with the output of `npx fcn doctor`",
          });
  }

  /** Throws the failure that was kept, once. */
  throwFirst(): void {
    const failure = this.#first;
    this.#first = undefined;
    if (failure) throw failure;
  }

  /** Waits until it is known how all earlier commands fared. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Asks for a buffer. `settled` is told later why there is none, or else undefined; until then the buffer can be used in commands. */
  createBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    this.device.pushErrorScope("out-of-memory");
    const buffer = this.device.createBuffer(descriptor);
    this.#follow(this.device.popErrorScope(), (error) => {
      if (error) this.#refusals++;
      settled(error?.message.split("\n")[0]);
    });
    return buffer;
  }

  /** A buffer that is reported as refused, for a simulated fault. */
  refuseBuffer(descriptor: GPUBufferDescriptor, settled: (refusal: string | undefined) => void): GPUBuffer {
    this.#follow(Promise.resolve(null), () => settled("the refusal is simulated by FCN_SIMULATE"));
    return this.device.createBuffer(descriptor);
  }

  /** Watches the commands up to the call of what it answers. */
  watch(): () => void {
    const before = this.#refusals;
    this.device.pushErrorScope("validation");
    return () =>
      this.#follow(this.device.popErrorScope(), (error) => {
        // Where a buffer was refused meanwhile, commands on it fail too, and the refusal says why.
        if (error && this.#refusals === before) this.record(new Error(error.message));
      });
  }

  #follow(scope: Promise<GPUError | null>, use: (error: GPUError | null) => void): void {
    // Rejects when the device is lost, which is told elsewhere.
    const done: Promise<void> = scope.then(use, () => undefined).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }
}
