import { show } from "./errors.js";
import type { DType } from "./types.js";

/** What is printed of a tensor beside its values. */
export interface Printed {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly requiresGrad: boolean;
  /** The op that made it, if a gradient flows through it. */
  readonly op: string | undefined;
  readonly disposed: boolean;
}

/** A tensor without its values: `tensor(shape=[2, 3], dtype=float32, requiresGrad=true)`. */
export function printHead(of: Printed): string {
  const parts = [
    `shape=${show(of.shape)}`,
    `dtype=${of.dtype}`,
    ...historyOf(of),
    ...(of.disposed ? ["disposed"] : []),
  ];
  return `tensor(${parts.join(", ")})`;
}

/** The op that made a tensor, or that it has a gradient. */
export function historyOf({ op, requiresGrad }: Printed): string[] {
  if (op !== undefined) return [`op=${op}`];
  return requiresGrad ? ["requiresGrad=true"] : [];
}
