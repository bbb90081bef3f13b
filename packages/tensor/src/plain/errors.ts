import { TensorError } from "@fcn/kernels";

export {
  defect,
  type ErrorCode,
  type ErrorDetails,
  type ErrorParts,
  type Fix,
  hasCode,
  invalidArgument,
  invalidDType,
  invalidShape,
  limitExceeded,
  reworded,
  type TensorCode,
  TensorError,
} from "@fcn/kernels";

/** Shapes as error messages show them: `[1, 3, 32, 32]`. */
export const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const escapeControl = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;

/** Text on one line: names from a file may contain line breaks. */
export const oneLine = (text: string): string => text.replaceAll("\n", "\\u000a");

/** Text from a file for an error message: control characters escaped, and cut to `most` characters. */
export function brief(text: string, most = 80): string {
  const start = text.slice(0, most + 1).replace(CONTROL, escapeControl);
  return start.length > most ? `${start.slice(0, most)}...` : start;
}

/**
 * The first of many items for an error message: `a, b and 29 more`, or `a or b or 29 more` if the separator is " or ".
 */
export function firstOf(items: readonly string[], most: number, separator = ", "): string {
  const shown = items.slice(0, most).join(separator);
  const last = separator === " or " ? "or" : "and";
  return items.length > most ? `${shown} ${last} ${items.length - most} more` : shown;
}

/** {@link firstOf} for names from a file, each shown as {@link brief} does. */
export const showSome = (items: readonly string[], { most = 12, separator = ", " } = {}): string =>
  firstOf(
    items.map((item) => brief(item, 160)),
    most,
    separator,
  );

/** The most items of a list or fields of a record to show. */
const MOST_SHOWN = 20;

/** A value from a file for an error message: as JSON, three levels deep, cut to `most` characters. */
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

export function otherDevice(op: string, shape: readonly number[]): TensorError {
  return new TensorError({
    code: "device-mismatch",
    message: `${op}: a tensor of shape ${show(shape)} belongs to another device`,
    fix: "make all operands on one device",
  });
}
