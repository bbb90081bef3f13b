import type { ErrorCode } from "./errorCodes.js";

/**
 * A remedy: one text for every reader, or one for whoever writes code and one for whoever reads the message at a
 * command line. Without `command` the command line words its own, by the code of the error.
 */
export type Fix = string | { readonly code: string; readonly command?: string | undefined };

/** What went wrong, with numbers (`message`), which rule (`code`), and one remedy (`fix`). */
export interface ErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: Fix;
  /** What the message says, as data, for whoever words the remedy in another way: see {@link ErrorCode}. */
  readonly details?: ErrorDetails | undefined;
}

export type ErrorDetails = Readonly<Record<string, string | readonly string[]>>;

/** The one error type of the library. Which error it is says its `code`; see {@link hasCode}. */
export class TensorError extends Error {
  readonly code: ErrorCode;
  /** The remedy in code. */
  readonly fix: string;
  /** The remedy at a command line; undefined where that depends on the command. */
  readonly commandFix: string | undefined;
  readonly details: ErrorDetails | undefined;

  constructor({ code, message, fix, details }: ErrorParts, options?: ErrorOptions) {
    super(printable(message), options);
    this.name = "TensorError";
    this.code = code;
    const { code: inCode, command } = typeof fix === "string" ? { code: fix, command: fix } : fix;
    this.fix = printable(inCode);
    this.commandFix = command === undefined ? undefined : printable(command);
    this.details = details;
  }

  /** The error as plain data, of which another one can be made. */
  parts(): ErrorParts {
    const { code, message, fix, commandFix, details } = this;
    return { code, message, fix: { code: fix, command: commandFix }, details };
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}\n  fix: ${this.fix}`;
  }
}

/** Whether it is an error of the library with one of these codes. */
export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is TensorError =>
  error instanceof TensorError && codes.includes(error.code);

/** The same error with another message or remedy, and the first one as its cause. */
export const reworded = (error: TensorError, changes: Partial<Omit<ErrorParts, "code">>): TensorError =>
  new TensorError({ ...error.parts(), ...changes }, { cause: error });

const failure =
  (code: ErrorCode) =>
  (message: string, fix: Fix): TensorError =>
    new TensorError({ code, message, fix });

export const invalidArgument = failure("invalid-argument");
export const invalidShape = failure("invalid-shape");
export const invalidDType = failure("invalid-dtype");
export const limitExceeded = failure("limit-exceeded");

/** What no use of the library should bring about. */
export const defect = (message: string): TensorError =>
  new TensorError({ code: "defect", message, fix: { code: "report it: this is a defect of the library" } });

const escapeControl = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;

/**
 * Control characters, and those that turn the direction of writing: what a file says must not move the cursor of a
 * terminal.
 */
const UNPRINTABLE = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const printable = (text: string): string => text.replace(UNPRINTABLE, escapeControl);
