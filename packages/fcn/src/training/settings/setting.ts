import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { Reader, Rule } from "../../options/rules.js";
import type { OptimizerName } from "../optimizer/optimizers.js";

/** A flag of `fcn train`. */
export interface Flag<Value> {
  /** As shown in the help, such as `--batch <n>`. Without a value it is a switch. */
  readonly flag: string;
  /** The help appends the defaults. */
  readonly help: string;
  readonly reader: Reader<Value>;
}

/** What the flag, the checks, the defaults, the configuration and the report need to know about a setting. */
export interface Row<Value> extends Partial<Flag<Value>> {
  readonly isRequired?: boolean;
  /** Another flag for a part of the value. The values of both are merged. */
  readonly shortcut?: Flag<Value>;
  /** The values that are allowed. Errors name the setting and quote the rule. */
  readonly rule?: Rule<Value>;
  /** Throws for a wrong value, in place of a rule or in addition to it. */
  check?(value: Value): void;
  /** Throws if the value does not suit the net. Applies only to options, because a recipe may name what a net lacks. */
  fits?(value: Value, model: SegmentationNet): void;
  /** The remedy if the setting is missing; absent for optional settings. */
  readonly missing?: string;
  /** The default, unless an option or a recipe gives a value. An optimiser of your own counts as SGD. */
  readonly fallback?: (optimizer: OptimizerName) => Value;
  /** The default of a run without a recipe, if it differs. */
  readonly runFallback?: (optimizer: OptimizerName) => Value;
  /** The default if the net decides it. */
  readonly netFallback?: (model: SegmentationNet) => Value;
  /** The default as the help shows it, if it is not a plain value. */
  readonly fallbackText?: string;
  /**
   * Whether it decides the course of a run. If so, the configuration keeps it, the report shows it, and `resume`
   * refuses another value. A string names the setting that keeps it instead, as `steps` keeps the epochs. Default true.
   */
  readonly decides?: false | string;
}

/**
 * How the text of a flag is read: by its reader, otherwise by the rule; otherwise it is the value itself, or a switch.
 */
type Reading<Value> =
  | (string extends Value ? unknown : true extends Value ? unknown : never)
  | { readonly reader: Reader<Value> }
  | { readonly rule: Rule<Value> };

/** A row whose flag, if it has one, can be read. */
export type Setting<Value> = Row<Value> &
  ({ readonly flag?: never } | ({ readonly flag: string; readonly help: string } & Reading<Value>));

export type Table = Readonly<Record<string, Row<unknown>>>;

export type SettingsOf<Options> = { readonly [Name in keyof Options]-?: Setting<NonNullable<Options[Name]>> };

/** The settings of a table that the configuration holds under their own names. */
export type Deciding<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly decides: unknown } ? never : Name;
}[keyof Table];
