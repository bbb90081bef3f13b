import type { io, TensorError } from "@fcn/tensor";
import { firstOf, invalidArgument } from "@fcn/tensor/internal";

/** Weights on the host by name, as returned by the readers of `io`. */
export type HostState = Readonly<Record<string, io.HostArray>>;

/** An error of `surgery.<op>`. */
export const surgeryError = (op: string, problem: string, fix: string): TensorError =>
  invalidArgument(`surgery.${op}: ${problem}`, fix);

/** Returns the array `name`, or throws an error that lists the available names. */
export function arrayOf(op: string, state: HostState, name: string): io.HostArray {
  const found = Object.hasOwn(state, name) ? state[name] : undefined;
  if (found !== undefined) return found;
  const some = firstOf(Object.keys(state), 8);
  throw surgeryError(op, `there is no ${name} among ${some || "no arrays"}`, "name a layer of the weights");
}

/**
 * Assembles an array of the same type from pieces of `data`: each row is `count` values from an offset, or zeros if the
 * offset is undefined.
 */
export function gather(
  source: io.HostArray,
  shape: readonly number[],
  count: number,
  offsets: readonly (number | undefined)[],
): io.HostArray {
  const { data, dtype } = source;
  const out = new (data.constructor as new (length: number) => io.HostArray["data"])(offsets.length * count);
  offsets.forEach((from, i) => {
    if (from !== undefined) out.set(data.subarray(from, from + count) as never, i * count);
  });
  return { dtype, shape: [...shape], data: out };
}
