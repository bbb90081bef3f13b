import { chooseFrom } from "../options/closest.js";
import { oneOf, type Reader } from "../options/rules.js";
import { list } from "./registry.js";

/** How the name of a net is read from a flag. */
export const modelReader: Reader<string> = {
  ...oneOf(list()),
  remedy: (text) => chooseFrom(text, list(), "fcn models"),
};
