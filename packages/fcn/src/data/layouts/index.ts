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

/** The first that recognises a folder opens it: what is laid out most particularly comes first. */
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

/** The options of single layouts. */
export type LayoutOptions = All<OwnOptions<(typeof LAYOUTS)[LayoutName]>>;

/** A row of the table whose own options are not told apart. */
export type AnyLayout = Omit<Layout<LayoutOptions & object>, "options"> & { readonly options: AnyTable };

/** The rows of the table with their names. */
export const LAYOUT_ROWS = Object.entries<AnyLayout>(LAYOUTS) as readonly (readonly [LayoutName, AnyLayout])[];

/** The layouts that `data.open` knows, and what each is recognised by. */
export function layouts(): Record<string, string> {
  return Object.fromEntries(LAYOUT_ROWS.map(([name, { what }]) => [name, what]));
}
