import type { Abortable } from "../../async/abort.js";
import type { OptionTable } from "../../options/option.js";
import type { SplitOptions } from "../folder/splits.js";
import type { OpenedData } from "../samples/dataset.js";
import type { WorkerOptions } from "../workers/pool.js";

/** The options that every layout is opened with. */
export type OpenerOptions = SplitOptions & WorkerOptions & Abortable;

/** What opening a layout gives; its name is that of its row unless it says another. */
export type OpenedLayout = Omit<OpenedData, "layout"> & { readonly layout?: string };

/** A layout of labelled data; `Own` are the options that it has beside those of all layouts. */
export interface Layout<Own extends object = Record<never, never>> {
  /** What it is recognised by, in words. */
  readonly what: string;
  /** The files and folders that it consists of. Absent where they may have any name. */
  readonly parts?: readonly string[];
  /** Whether `parts` go by other names too. */
  readonly hasOtherNames?: boolean;
  readonly recognise: (root: string) => Promise<boolean>;
  readonly open: (root: string, options: Own & OpenerOptions) => Promise<OpenedLayout>;
  /** What keeps files that may be its own from being read, for a folder in which nothing is recognised. */
  readonly problems?: (root: string) => Promise<string[]>;
  readonly options: OptionTable<Own>;
}
