import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { OptimizerName } from "../optimizers.js";
import type { Reader, Rule } from "./rules.js";

/** A flag of `fcn train`. */
export interface Flag<Value> {
  /** As the help shows it, such as `--batch <n>`; without a value it is a switch. */
  readonly name: string;
  readonly help: string;
  readonly isRequired?: boolean;
  /** Default: the rule of the setting, else the text as it is. */
  readonly reader?: Reader<Value>;
}

/** What defaults depend on. */
export interface Basis {
  readonly model: SegmentationNet;
  /** That whose decay an optimiser of one's own takes over is SGD. */
  readonly optimizer: OptimizerName;
}

/** A setting of training: all that the command line, checks, defaults, configuration and report need to know of it. */
export interface Setting<Value> {
  /** What it may be; an error names the setting and what the rule allows. */
  readonly rule?: Rule<Value>;
  /** Throws where a value is wrong, in place of a rule or beside it. */
  check?(value: Value): void;
  /** The remedy where nothing gives it; absent where it may be left out. */
  readonly missing?: string;
  /** What it is where neither an option nor a recipe says otherwise. */
  readonly fallback?: (basis: Basis) => Value;
  /** The same of a run without a recipe, where that is another. */
  readonly runFallback?: (basis: Pick<Basis, "optimizer">) => Value;
  /** What several flags give is joined. */
  readonly flags?: readonly Flag<Value>[];
  /**
   * Whether it decides the course of a run: it is then kept in the configuration, shown in the report, and `resume` refuses another one. A name
   * is that of the setting in which it is kept, as epochs are in `steps`.
   */
  readonly decides: boolean | string;
}

/** Rows by the names of their settings. */
export type Table = Readonly<Record<string, Setting<unknown>>>;

/** One row for each of the options. */
export type SettingsOf<Options> = { readonly [Name in keyof Options]-?: Setting<NonNullable<Options[Name]>> };

/** The settings of a table that the configuration holds under their own names. */
export type Deciding<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly decides: true } ? Name : never;
}[keyof Table];
