import { d2lRow } from "./d2l.mjs";
import { OPS } from "./ops.mjs";
import { passRows } from "./pass.mjs";

/**
 * Every row of the comparison, in the order of the table. A row is
 * `{ title, group, note, tolerance, openOurs(ours), open(ours, tfjs) }`; `open` returns `{ step, owned }` for each
 * side, `openOurs` for ours alone.
 */
export const ROWS = [...passRows(OPS), d2lRow({ h: 160, w: 240 })];
