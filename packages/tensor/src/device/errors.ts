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

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const escapeControl = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;

/** Text of a file as it may stand in a message: no control characters, and cut to `most` characters. */
export function brief(text: string, most = 80): string {
  const start = text.slice(0, most + 1).replace(CONTROL, escapeControl);
  return start.length > most ? `${start.slice(0, most)}...` : start;
}

/** The first of many items as they stand in messages: `a, b and 29 more`. */
export function showSome(items: readonly string[], { most = 12, separator = ", " } = {}): string {
  const shown = items.slice(0, most).map((item) => brief(item, 160));
  return items.length > most ? `${shown.join(separator)} and ${items.length - most} more` : shown.join(separator);
}

export function deviceLost(reason: string): TensorError {
  return new TensorError({
    code: "device-lost",
    message: `the GPU device is gone: ${reason}`,
    fix: "create a new device with createDevice() and load your last checkpoint; if the device was lost while allocating, use a smaller batch",
  });
}

/** What memory was asked for. */
export interface MemoryRequest {
  readonly op: string | undefined;
  readonly byteLength: number;
  readonly shape: readonly number[] | undefined;
}

export function outOfMemory({ op = "allocate", byteLength, shape }: MemoryRequest, detail: string): TensorError {
  const holder = shape ? ` for a tensor of shape ${show(shape)}` : "";
  return new TensorError({
    code: "out-of-memory",
    message: `${op}: there is no memory of ${(byteLength / 2 ** 20).toFixed(1)} MiB${holder}: ${brief(detail, 200)}`,
    fix: "use a smaller batch or image, or wrap the work in device.scope() so that intermediate tensors are freed",
  });
}
