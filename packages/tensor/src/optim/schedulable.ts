import type { Tensor } from "../core/tensor.js";

/** The part of an optimiser that a schedule changes. */
export interface Schedulable {
  readonly groups: readonly { lr: number; readonly params?: readonly Tensor[] }[];
}
