/** Which rule was broken. */
export type ErrorCode =
  // An option or a value that the function does not take.
  | "invalid-argument"
  // Operands whose shapes do not fit the function or one another.
  | "invalid-shape"
  // An operand of another element type than the function takes.
  | "invalid-dtype"
  // More elements, dimensions or bytes than the device or the kernels can number or show.
  | "limit-exceeded"
  // A class index outside the classes that is not `ignoreIndex`.
  | "label-out-of-range"
  // NaN or infinity, in debug mode.
  | "not-finite"
  // Operands of several devices.
  | "device-mismatch"
  // A tensor after its end.
  | "disposed"
  // Two scopes that neither nest nor follow one another.
  | "scope-overlap"
  // Backward from a tensor that no leaf with `requiresGrad` leads to.
  | "no-gradient"
  // A second backward through a graph that the first one freed.
  | "graph-freed"
  // Backward through values that were changed in place after the forward pass.
  | "modified-in-place"
  // Saved values whose names, shapes or settings are not those of the module or optimiser.
  | "state-dict-mismatch"
  // A runtime without WebGPU.
  | "no-webgpu"
  // A machine without the adapter that was asked for.
  | "no-adapter"
  // A device that was destroyed or failed.
  | "device-lost"
  // Memory that the GPU or the host does not have.
  | "out-of-memory"
  // A kernel that the adapter refuses.
  | "kernel-compile"
  // A command that the GPU refuses: a defect of the library.
  | "gpu-error"
  // A file that is incomplete, damaged or of another format.
  | "corrupt-file"
  // A sound file that holds what is not read; `details.is` says what a file of another kind is.
  | "unsupported-file"
  // A checkpoint that names classes or functions which are not on the list of harmless ones; `details.names` has all of them.
  | "unsafe-pickle"
  // A checkpoint with several sets of weights; `details.keys` has where they are.
  | "ambiguous-checkpoint"
  // A file in which the names of a net stand behind several prefixes; `details.prefixes` has these.
  | "ambiguous-prefix"
  // A file that is missing or may not be read.
  | "unreadable-file"
  // A file that may not be written.
  | "unwritable-file"
  // A file that the disk has no room for.
  | "disk-full"
  // Reading from a file that was closed.
  | "closed-file"
  // What this runtime cannot do.
  | "unsupported";

/** What went wrong, with numbers (`message`), which rule (`code`), and one remedy (`fix`). */
export interface ErrorParts {
  /** One of {@link ErrorCode}, or a code of a package above this one. */
  readonly code: ErrorCode | (string & {});
  readonly message: string;
  /** The remedy in code. */
  readonly fix: string;
  /** The remedy for whoever reads the message at a command line, where it is another one. */
  readonly commandFix?: string | undefined;
  /** What the message says, as data, for whoever words the remedy in another way: see {@link ErrorCode}. */
  readonly details?: ErrorDetails | undefined;
}

export type ErrorDetails = Readonly<Record<string, string | readonly string[]>>;

/** The one error type of the library. */
export class TensorError extends Error {
  readonly code: ErrorCode | (string & {});
  readonly fix: string;
  readonly commandFix: string | undefined;
  readonly details: ErrorDetails | undefined;

  constructor({ code, message, fix, commandFix, details }: ErrorParts, options?: ErrorOptions) {
    super(printable(message), options);
    this.name = "TensorError";
    this.code = code;
    this.fix = printable(fix);
    this.commandFix = commandFix === undefined ? undefined : printable(commandFix);
    this.details = details;
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}\n  fix: ${this.fix}`;
  }
}

/** Shapes as they stand in messages: `[1, 3, 32, 32]`. */
export const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const escapeControl = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;

/** Control characters, and those that turn the direction of writing: what a file says must not move the cursor of a terminal. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const printable = (text: string): string => text.replace(UNPRINTABLE, escapeControl);

/** Text with names of a file in it as one line: a name may hold line breaks. */
export const oneLine = (text: string): string => text.replaceAll("\n", "\\u000a");

/** Text of a file as it may stand in a message: no control characters, and cut to `most` characters. */
export function brief(text: string, most = 80): string {
  const start = text.slice(0, most + 1).replace(CONTROL, escapeControl);
  return start.length > most ? `${start.slice(0, most)}...` : start;
}

/** The first of many items as they stand in messages: `a, b and 29 more`; `or` in place of `and` where " or " separates them. */
export function firstOf(items: readonly string[], most: number, separator = ", "): string {
  const shown = items.slice(0, most).join(separator);
  const last = separator === " or " ? "or" : "and";
  return items.length > most ? `${shown} ${last} ${items.length - most} more` : shown;
}

/** {@link firstOf} for names out of a file: each as {@link brief} shows it. */
export const showSome = (items: readonly string[], { most = 12, separator = ", " } = {}): string =>
  firstOf(
    items.map((item) => brief(item, 160)),
    most,
    separator,
  );

/** Items of a list and fields of a record that are shown. */
const MOST_SHOWN = 20;

/** A value out of a file as it stands in messages: as JSON, cut to `most` characters. Of deep values the first three levels are shown. */
export function showValue(value: unknown, most = 80): string {
  const text = (item: unknown, levels: number): string => {
    if (typeof item === "string") return JSON.stringify(item.slice(0, most + 1));
    if (typeof item !== "object" || item === null) return String(item);
    const isList = Array.isArray(item);
    if (levels === 0) return isList ? "[...]" : "{...}";
    const parts = isList
      ? item.slice(0, MOST_SHOWN).map((part) => text(part, levels - 1))
      : Object.entries(item)
          .slice(0, MOST_SHOWN)
          .map(([name, part]) => `${JSON.stringify(name)}:${text(part, levels - 1)}`);
    const more = Object.keys(item).length > MOST_SHOWN ? ",..." : "";
    return isList ? `[${parts}${more}]` : `{${parts}${more}}`;
  };
  return brief(text(value, 3), most);
}

export function invalidShape(message: string, fix: string): TensorError {
  return new TensorError({ code: "invalid-shape", message, fix });
}

export function invalidArgument(message: string, fix: string): TensorError {
  return new TensorError({ code: "invalid-argument", message, fix });
}

export function otherDevice(op: string, shape: readonly number[]): TensorError {
  return new TensorError({
    code: "device-mismatch",
    message: `${op}: a tensor of shape ${show(shape)} belongs to another device`,
    fix: "make all operands on one device",
  });
}
