import type { Kernel } from "./kernel.js";

/** A kernel of floats as one of integers: the types X and Y of its elements, and Value of what it computes, are i32. */
export const ofIntegers = ({ name, source }: Kernel): Kernel => ({
  name: `${name} int32`,
  source: source.replace(/^(alias (?:X|Y|Value)\s*=\s*)f32;/gm, "$1i32;"),
});
