import type { AnyTable } from "../../options/option.js";
import { coco } from "./coco.js";
import { folder } from "./folder.js";
import { labelme } from "./labelme.js";
import type { Layout } from "./layout.js";
import { nyud } from "./nyud.js";
import { pascalContext } from "./pascalContext.js";
import { sbd } from "./sbd.js";
import { siftFlow } from "./siftFlow.js";
import { voc } from "./voc.js";

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

type OwnOptions<Row> = Row extends Layout<infer Own> ? Own : never;
type All<Options> = (Options extends unknown ? (options: Options) => void : never) extends (all: infer Every) => void
  ? Every
  : never;

/** The options of all individual layouts. */
export type LayoutOptions = All<OwnOptions<(typeof LAYOUTS)[LayoutName]>>;

/** A row of the table whose specific options are unknown to the type checker. */
export type AnyLayout = Omit<Layout<LayoutOptions & object>, "options"> & { readonly options: AnyTable };

export const LAYOUT_ROWS = Object.entries<AnyLayout>(LAYOUTS) as readonly (readonly [LayoutName, AnyLayout])[];

/** The layouts that `data.open` supports, each with a description of how it is recognised. */
export function layouts(): Record<string, string> {
  return Object.fromEntries(LAYOUT_ROWS.map(([name, { what }]) => [name, what]));
}
