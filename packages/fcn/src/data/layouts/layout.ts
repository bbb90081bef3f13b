import type { Abortable } from "../../async/abort.js";
import type { OptionTable } from "../../options/option.js";
import type { SplitOptions } from "../folder/splits.js";
import type { OpenedData } from "../samples/dataset.js";
import type { WorkerOptions } from "../workers/pool.js";

/** The options that every layout accepts. */
export type OpenerOptions = SplitOptions & WorkerOptions & Abortable;

/** The result of opening a layout; its name is that of its row unless it states another. */
export type OpenedLayout = Omit<OpenedData, "layout"> & { readonly layout?: string };

/** A layout of labelled data; `Own` are its specific options. */
export interface Layout<Own extends object = Record<never, never>> {
  /** Describes how it is recognised. */
  readonly what: string;
  /** The files and folders that make it up. Absent if they may have any name. */
  readonly parts?: readonly string[];
  /** Whether `parts` have alternative names. */
  readonly hasOtherNames?: boolean;
  readonly recognise: (root: string) => Promise<boolean>;
  readonly open: (root: string, options: Own & OpenerOptions) => Promise<OpenedLayout>;
  readonly options: OptionTable<Own>;
}
