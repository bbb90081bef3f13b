import { type io, TensorError } from "@fcn/tensor";

/** What a reader must never do. */
export class Finding extends Error {
  constructor(
    readonly kind: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Finding";
  }
}

/** What the engine says where a program is wrong; a reader checks before it comes to that. */
const ENGINE =
  /Cannot (read|set|convert|mix|destructure|access)|is not (a function|iterable|defined|a constructor)|Invalid (array|typed array|string|code point|regular|count|time)|[Mm]aximum call stack|out of bounds|[Oo]ffset is outside|byte length of|start offset of|ERR_[A-Z]|\[object |\bat [\w./:-]+\.js:\d+|Array buffer allocation|atob|InvalidCharacter|BigInt/;

/** Text that a file can put into a message is bounded and has no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: text of a file must not reach the terminal raw
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const LONGEST = 2500;

/**
 * Throws a Finding unless the error is one clear error of the library. Returns a text that is the same for errors of
 * one kind.
 */
export function judgeError(error: unknown, names: readonly string[], input: Uint8Array): string {
  if (error instanceof Finding) throw error;
  if (!(error instanceof TensorError) && (error as Error | undefined)?.name !== "UsageError") {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Finding("raw error", stack.split("\n").slice(0, 6).join("\n"), { cause: error });
  }
  const { code, message, fix } = error as TensorError;
  const told = `[${code}] ${message} (fix: ${fix})`;
  if (error instanceof TensorError && !(typeof code === "string" && /\S/.test(code)))
    throw new Finding("no code", told);
  if (typeof fix !== "string" || !/\S/.test(fix)) throw new Finding("no remedy", told);
  if (typeof message !== "string" || !/\S/.test(message)) throw new Finding("no message", told);
  if (message.length > LONGEST)
    throw new Finding("endless message", `${message.length} characters: ${told.slice(0, 600)}`);
  if (CONTROL.test(message) || CONTROL.test(fix))
    throw new Finding("control characters", JSON.stringify(told.slice(0, 600)));
  const raw =
    ENGINE.exec(message)?.[0] ??
    (/\bundefined\b|(?<!holds )\bNaN\b(?! or infinity)/.test(message) ? "undefined or NaN" : undefined);
  if (raw !== undefined && !holds(input, raw)) throw new Finding("words of the engine", told);
  if (!names.some((name) => message.includes(name))) throw new Finding("no file in the message", told);
  return outcomeOf(`${code}: ${message}`);
}

/** Whether the words came from the file itself. */
function holds(input: Uint8Array, raw: string): boolean {
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString("latin1");
  return raw === "undefined or NaN" ? /undefined|NaN/.test(text) : text.includes(raw.slice(0, 12));
}

/** A message without its numbers and quotations. */
export const outcomeOf = (message: string): string =>
  message
    .replace(/"[^"]*"/g, '""')
    .replace(/\{.*|\[[^\]]*\]/g, "[]")
    .replace(/\b(tensor|weight|weights|layer|entry|storage|dtype|called|variable|number|global|for) \S+/g, "$1 x")
    .replace(/0x[0-9a-f]+|\d+/gi, "0")
    .slice(0, 110);

const TYPES: Readonly<Record<string, readonly string[]>> = {
  float32: ["Float32Array"],
  float64: ["Float64Array"],
  int64: ["BigInt64Array"],
  int32: ["Int32Array"],
  int16: ["Int16Array"],
  int8: ["Int8Array"],
  uint64: ["BigUint64Array"],
  uint32: ["Uint32Array"],
  uint16: ["Uint16Array"],
  uint8: ["Uint8Array"],
  bool: ["Uint8Array"],
};

/** Throws a Finding unless each array is what it says. */
export function judgeArrays(arrays: Readonly<Record<string, io.HostArray>>): void {
  if (Object.getPrototypeOf(arrays) !== Object.prototype && Object.getPrototypeOf(arrays) !== null) {
    throw new Finding("prototype", "the record of arrays has a prototype that the file chose");
  }
  for (const [name, array] of Object.entries(arrays)) {
    const { dtype, shape, data } = array;
    const count = shape.reduce((product, size) => product * size, 1);
    const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (!isShape || count !== data.length || !TYPES[dtype]?.includes(data.constructor.name)) {
      const text = `${JSON.stringify(name)}: ${dtype} [${shape}] in a ${data.constructor.name} of ${data.length}`;
      throw new Finding("array", text);
    }
  }
}

/** Throws a Finding unless each label is a class or void and there is one a pixel. */
export function judgeLabels(
  labels: ArrayLike<number>,
  { height, width }: { readonly height: number; readonly width: number },
  classes: number,
): void {
  if (!(Number.isSafeInteger(height) && Number.isSafeInteger(width) && height >= 1 && width >= 1)) {
    throw new Finding("size", `${height}x${width}`);
  }
  if (labels.length !== height * width) {
    throw new Finding("plane", `${labels.length} labels for ${height}x${width}`);
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label !== 255 && !(label >= 0 && label < classes)) throw new Finding("label", `${label} of ${classes} classes`);
  }
}
