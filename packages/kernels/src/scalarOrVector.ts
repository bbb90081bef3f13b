import { type Binding, type Dummy, UNREAD } from "./plan.js";

/**
 * The two bindings through which a kernel reaches an operand: as scalars, `name`, and as vec4, `name4`. The one that is
 * not used is bound to `dummy`, which must come from {@link unwritten} for an operand that is written.
 */
export const scalarOrVector = (
  vector: boolean,
  name: string,
  operand: Binding,
  dummy: Dummy = UNREAD,
): Readonly<Record<string, Binding>> =>
  vector ? { [name]: dummy, [`${name}4`]: operand } : { [name]: operand, [`${name}4`]: dummy };
