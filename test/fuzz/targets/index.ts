import type { Target } from "../target.js";
import { FOLDERS } from "./folders.js";
import { IMAGES } from "./images.js";
import { LOADING } from "./loading.js";
import { WEIGHTS } from "./weights.js";

/** All targets, in the order in which they run. */
export const TARGETS: readonly Target[] = [...WEIGHTS, ...IMAGES, ...FOLDERS, ...LOADING];
