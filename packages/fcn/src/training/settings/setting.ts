import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { Reader, Rule } from "../../options/rules.js";
import type { OptimizerName } from "../optimizer/optimizers.js";

/** A flag of `fcn train`. */
export interface Flag<Value> {
  /** As the help shows it, such as `--batch <n>`; without a value it is a switch. */
  readonly flag: string;
  /** The defaults of the table are added at its end. */
  readonly help: string;
  readonly reader: Reader<Value>;
}

/** What the flag, the checks, the defaults, the configuration and the report need to know of a setting of training. */
export interface Row<Value> extends Partial<Flag<Value>> {
  readonly isRequired?: boolean;
  /** A further flag for a part of the value; what both give is joined. */
  readonly shortcut?: Flag<Value>;
  /** What it may be; an error names the setting and what the rule allows. */
  readonly rule?: Rule<Value>;
  /** Throws where a value is wrong, in place of a rule or beside it. */
  check?(value: Value): void;
  /** Throws where a value does not suit the net; asked of options alone, because a recipe may name what a net lacks. */
  fits?(value: Value, model: SegmentationNet): void;
  /** The remedy where nothing gives it; absent where it may be left out. */
  readonly missing?: string;
  /** What it is where neither an option nor a recipe says otherwise; an optimiser of one's own counts as SGD. */
  readonly fallback?: (optimizer: OptimizerName) => Value;
  /** The same of a run without a recipe, where that is another. */
  readonly runFallback?: (optimizer: OptimizerName) => Value;
  /** The same where the net decides. */
  readonly netFallback?: (model: SegmentationNet) => Value;
  /** The same for the help, where it is no plain value. */
  readonly fallbackText?: string;
  /**
   * Whether it decides the course of a run: it is then kept in the configuration, shown in the report, and `resume`
   * refuses another one. A name is that of the setting in which it is kept, as epochs are in `steps`. Default true.
   */
  readonly decides?: false | string;
}

/** How the text of a flag is read: by its reader, else by the rule, else it is the value, or it is a switch. */
type Reading<Value> =
  | (string extends Value ? unknown : true extends Value ? unknown : never)
  | { readonly reader: Reader<Value> }
  | { readonly rule: Rule<Value> };

/** A row whose flag, where it has one, can be read. */
export type Setting<Value> = Row<Value> &
  ({ readonly flag?: never } | ({ readonly flag: string; readonly help: string } & Reading<Value>));

/** Rows by the names of their settings. */
export type Table = Readonly<Record<string, Row<unknown>>>;

/** One row for each of the options. */
export type SettingsOf<Options> = { readonly [Name in keyof Options]-?: Setting<NonNullable<Options[Name]>> };

/** The settings of a table that the configuration holds under their own names. */
export type Deciding<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly decides: unknown } ? never : Name;
}[keyof Table];
