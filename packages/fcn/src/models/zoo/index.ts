import { D2L_NETS } from "./d2l.js";
import type { Family } from "./entry.js";
import { VGG_NETS } from "./vgg.js";

/** Every model that `create` knows. */
export const ZOO: Family = { ...VGG_NETS, ...D2L_NETS };
