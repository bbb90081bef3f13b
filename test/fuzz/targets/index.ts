import type { Target } from "../target.js";
import { WEIGHTS } from "./weights.js";

/** All targets, in the order in which they run. */
export const TARGETS: readonly Target[] = [...WEIGHTS];
