/** All rows by name. Bundlers keep those alone that are named in code. */
export * from "./activations.js";
export * from "./comparisons.js";
export * from "./elementary.js";
export * from "./table.js";
