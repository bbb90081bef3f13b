/** What went wrong, with numbers (`message`), which rule (`code`), and one remedy (`fix`). */
export interface ErrorParts {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** The one error type of the library. */
export class TensorError extends Error {
  readonly code: string;
  readonly fix: string;

  constructor({ code, message, fix }: ErrorParts, options?: ErrorOptions) {
    super(message, options);
    this.name = "TensorError";
    this.code = code;
    this.fix = fix;
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}\n  fix: ${this.fix}`;
  }
}

/** Shapes as they stand in messages: `[1, 3, 32, 32]`. */
export const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

export function deviceLost(reason: string): TensorError {
  return new TensorError({
    code: "device-lost",
    message: `the GPU device is gone: ${reason}`,
    fix: "create a new device with createDevice() and load your last checkpoint; if the device was lost while allocating, use a smaller batch",
  });
}

export function outOfMemory(op: string, bytes: number, detail: string): TensorError {
  return new TensorError({
    code: "out-of-memory",
    message: `${op}: the adapter could not allocate ${(bytes / 2 ** 20).toFixed(1)} MiB: ${detail}`,
    fix: "use a smaller batch or image, or wrap the work in device.scope() so that intermediate tensors are freed",
  });
}
