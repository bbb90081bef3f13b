import { d2lRow } from "./d2l.mjs";
import { OPS } from "./ops.mjs";
import { passRows } from "./pass.mjs";

/**
 * Every row of the comparison, in the order of the table. A row is
 * `{ title, group, note, tolerance, open(ours, tfjs) }`; `open` returns `{ step, owned }` for each side.
 */
export const ROWS = [...passRows(OPS), d2lRow({ h: 160, w: 240 })];
