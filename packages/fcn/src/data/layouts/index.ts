import type { AnyTable } from "../../options/option.js";
import type { PairOptions } from "../folder/pairs.js";
import { type CocoOptions, coco } from "./coco.js";
import { folder } from "./folder.js";
import { type LabelmeOptions, labelme } from "./labelme.js";
import type { Layout } from "./layout.js";
import { type NyudOptions, nyud } from "./nyud.js";
import { type ContextOptions, pascalContext } from "./pascalContext.js";
import { sbd } from "./sbd.js";
import { siftFlow } from "./siftFlow.js";
import { type VocOptions, voc } from "./voc.js";

/** The first layout that recognises a folder opens it, so the most specific ones come first. */
export const LAYOUTS = {
  voc,
  sbd,
  nyud,
  siftflow: siftFlow,
  "pascal-context": pascalContext,
  folder,
  coco,
  labelme,
} as const;

export type LayoutName = keyof typeof LAYOUTS;

/** The options of all individual layouts. */
export type LayoutOptions = CocoOptions & ContextOptions & LabelmeOptions & NyudOptions & PairOptions & VocOptions;

type OwnNames<Row> = Row extends Layout<infer Own> ? keyof Own : never;
type Forgotten = Exclude<OwnNames<(typeof LAYOUTS)[LayoutName]>, keyof LayoutOptions>;

/** A row of the table whose own options are not told apart. `LayoutOptions` must name those of every layout. */
export type AnyLayout = [Forgotten] extends [never]
  ? Omit<Layout<LayoutOptions>, "options"> & { readonly options: AnyTable }
  : never;

export const LAYOUT_ROWS = Object.entries<AnyLayout>(LAYOUTS) as readonly (readonly [LayoutName, AnyLayout])[];

/** The layouts that `data.open` supports, each with a description of how it is recognised. */
export function layouts(): Record<string, string> {
  return Object.fromEntries(LAYOUT_ROWS.map(([name, { what }]) => [name, what]));
}
