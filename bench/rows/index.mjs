import { d2lRow, d2lTorchRow } from "./d2l.mjs";
import { NET_ROWS } from "./nets.mjs";
import { passRows } from "./pass.mjs";
import { MOBILENETV2, OPERATIONS, RESNET18, VGG16 } from "./sizes.mjs";

/**
 * Every row of the comparison, in the order of the table. A row is `{ title, group, note, tolerance, flop, values,
 * kinds, opens }`. `opens` has a function for each side that takes part: `ours` or `host`, which are two ways of ours
 * (see sides/index.mjs), and peers. It gets the side and what was opened before it, and returns `{ step, owned }`.
 */
export const ROWS = [
  ...passRows("operations", OPERATIONS),
  d2lRow({ group: "operations", h: 160, w: 240 }),
  ...passRows("vgg16", VGG16),
  ...passRows("resnet18", RESNET18),
  ...passRows("mobilenetv2", MOBILENETV2),
  ...NET_ROWS,
  d2lTorchRow({ group: "training", h: 320, w: 480 }),
];
