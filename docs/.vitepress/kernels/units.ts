/** Numbers as a page shows them. */

const PREFIXES = ["", "k", "M", "G", "T", "P"];

function scaled(value: number, base: number): [value: string, prefix: number] {
  let [left, prefix] = [value, 0];
  while (left >= base && prefix < PREFIXES.length - 1) [left, prefix] = [left / base, prefix + 1];
  return [left >= 100 || Number.isInteger(left) ? left.toFixed(0) : left.toPrecision(3), prefix];
}

/** A count with three digits: `231 M`. */
export function countText(count: number): string {
  const [value, prefix] = scaled(count, 1000);
  return `${value} ${PREFIXES[prefix]}`;
}

/** Bytes in powers of 1024: `1.53 MiB`. */
export function bytesText(bytes: number): string {
  const [value, prefix] = scaled(bytes, 1024);
  return prefix === 0 ? `${value} bytes` : `${value} ${["", "Ki", "Mi", "Gi", "Ti", "Pi"][prefix]}B`;
}

/** A time with three digits: `41.2 µs`. */
export function timeText(seconds: number): string {
  const [unit, factor] = seconds < 1e-3 ? ["µs", 1e6] : seconds < 1 ? ["ms", 1e3] : ["s", 1];
  return `${(seconds * (factor as number)).toPrecision(3)} ${unit}`;
}

/** A relative error: `3.1e-7`, or in words where there is none. */
export const errorText = (error: number): string => (error === 0 ? "not at all" : error.toExponential(1));
