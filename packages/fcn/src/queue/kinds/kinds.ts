import type { RunKind } from "../runs/spec.js";
import { EVALUATE } from "./evaluate/evaluateKind.js";
import type { Kind } from "./kind.js";
import { PREDICT } from "./predict/predictKind.js";
import { SWEEP } from "./sweep/sweepKind.js";

/** What workers do, by the kind of a run. */
export const KINDS: Readonly<Record<RunKind, Kind>> = { predict: PREDICT, evaluate: EVALUATE, sweep: SWEEP };
