import { show } from "./errors.js";
import type { Printed } from "./print.js";
import type { TypedData } from "./types.js";

/** Decimals, the most elements that are printed in full, those at each end of a longer dimension, and characters. */
const PRECISION = 4;
const THRESHOLD = 1000;
const EDGE = 3;
const LINE_WIDTH = 80;
const PREFIX = "tensor(";

/**
 * A tensor as PyTorch prints it (torch._tensor_str with the default options): four decimals, scientific where the
 * values are far apart, and the ends of each dimension alone if there are more than 1000 elements. What PyTorch calls
 * `grad_fn` is the op here.
 *
 * @param data the elements in row-major order
 * @param history what {@link historyOf} says
 */
export function printValues(data: TypedData, of: Printed, history: readonly string[]): string {
  const { shape, dtype } = of;
  const suffixes = [
    ...(data.length === 0 && shape.length !== 1 ? [`size=${show(shape)}`] : []),
    ...(dtype !== "float32" ? [`dtype=${dtype}`] : []),
    ...history,
  ];
  const body = data.length === 0 ? "[]" : valuesText(data, shape, dtype !== "int32");
  let text = PREFIX + body;
  // PyTorch counts one character more than there are.
  let length = text.length - text.lastIndexOf("\n") + 1;
  for (const suffix of suffixes) {
    const fits = length + suffix.length + 2 <= LINE_WIDTH;
    text += fits ? `, ${suffix}` : `,\n${" ".repeat(PREFIX.length)}${suffix}`;
    length = fits ? length + suffix.length + 2 : PREFIX.length + suffix.length;
  }
  return `${text})`;
}

function valuesText(data: TypedData, shape: readonly number[], isFloat: boolean): string {
  const isSummary = data.length > THRESHOLD;
  const indicesOf = (size: number): number[] => {
    const all = isSummary && size > 2 * EDGE ? 2 * EDGE : size;
    return Array.from({ length: all }, (_, i) => (i < EDGE || all === size ? i : size - all + i));
  };
  const shown: number[] = [];
  const collect = (dim: number, offset: number, step: number): void => {
    if (dim === shape.length) {
      shown.push(data[offset]!);
      return;
    }
    const inner = step / shape[dim]!;
    for (const i of indicesOf(shape[dim]!)) collect(dim + 1, offset + i * inner, inner);
  };
  collect(0, 0, data.length);
  const { width, format } = formatter(shown, isFloat);

  const print = (dim: number, offset: number, step: number): string => {
    const size = shape[dim];
    if (size === undefined) return format(data[offset]!);
    const [inner, indent, rest] = [step / size, PREFIX.length + dim, shape.length - dim];
    const items = indicesOf(size).map((i) => print(dim + 1, offset + i * inner, inner));
    if (items.length < size) items.splice(EDGE, 0, rest === 1 ? " ..." : "...");
    const margin = " ".repeat(indent + 1);
    if (rest > 1) return `[${items.join(`,${"\n".repeat(rest - 1)}${margin}`)}]`;
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${margin}`)}]`;
  };
  return print(0, 0, data.length);
}

interface Formatter {
  readonly width: number;
  readonly format: (value: number) => string;
}

/** One form for all values, which makes the columns equally wide. */
function formatter(values: readonly number[], isFloat: boolean): Formatter {
  const counted = isFloat ? values.filter((value) => Number.isFinite(value) && value !== 0) : values;
  const text = isFloat ? floatForm(counted) : String;
  const width = counted.reduce((most, value) => Math.max(most, text(value).length), 1);
  return { width, format: (value) => finiteOr(value, text).padStart(width) };
}

function floatForm(finite: readonly number[]): (value: number) => string {
  const sizes = finite.map(Math.abs);
  const [least, most] = [sizes.reduce((a, b) => Math.min(a, b), Infinity), sizes.reduce((a, b) => Math.max(a, b), 0)];
  const isWhole = finite.every(Number.isInteger);
  const isScientific = finite.length > 0 && (most / least > 1000 || most > 1e8 || (!isWhole && least < 1e-4));
  if (isScientific) return scientific;
  return isWhole ? (value) => `${signed(value, value.toFixed(0))}.` : fixed;
}

const finiteOr = (value: number, text: (value: number) => string): string =>
  Number.isFinite(value) ? text(value) : String(value).replace("Infinity", "inf").replace("NaN", "nan");

const signed = (value: number, text: string): string => (Object.is(value, -0) ? `-${text}` : text);

const fixed = (value: number): string =>
  signed(value, halfEven(value.toFixed(PRECISION), value.toFixed(60), PRECISION));

function scientific(value: number): string {
  const [mantissa, exponent] = value.toExponential(PRECISION).split("e") as [string, string];
  const exact = value.toExponential(100).split("e")[0]!;
  const digits = exponent.slice(1).padStart(2, "0");
  return `${signed(value, halfEven(mantissa, exact, PRECISION))}e${exponent[0]}${digits}`;
}

/**
 * Rounds to the even neighbour, as C does, where the exact digits lie between two: JavaScript rounds those away from
 * zero.
 */
function halfEven(rounded: string, exact: string, decimals: number): string {
  const end = exact.indexOf(".") + 1 + decimals;
  const isTie = /^50*$/.test(exact.slice(end));
  const isEven = "02468".includes(exact[end - 1]!);
  return isTie && isEven ? exact.slice(0, end) : rounded;
}
