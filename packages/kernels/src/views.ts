import { type Binding, type Dummy, UNREAD } from "./plan.js";

/**
 * An operand under the two views that a kernel has of it: scalars as `name` and vec4 as `name4`. The view that is not
 * used is bound to `dummy`, which must come from {@link unwritten} for an operand that is written.
 */
export const views = (
  vector: boolean,
  name: string,
  operand: Binding,
  dummy: Dummy = UNREAD,
): Readonly<Record<string, Binding>> =>
  vector ? { [name]: dummy, [`${name}4`]: operand } : { [name]: operand, [`${name}4`]: dummy };
