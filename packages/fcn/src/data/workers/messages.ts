import type { ErrorParts } from "@fcn/tensor";
import type { TaskName, Tasks } from "./tasks.js";

/** A request of the pool to a worker. */
export interface Request<K extends TaskName = TaskName> {
  readonly id: number;
  readonly task: K;
  readonly input: Tasks[K][0];
}

/** A worker's reply. */
export type Reply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: ErrorParts };
