import type { SegmentationNet } from "../../models/segmentationNet.js";
import type { Option } from "../../options/option.js";
import type { OptimizerName } from "../optimizer/optimizers.js";

/** What a default may follow from; an optimiser of one's own counts as SGD. */
export interface FallbackOf {
  readonly optimizer: OptimizerName;
  readonly model: SegmentationNet;
}

/** A row of an option of training. */
export type Setting<Value> = Option<Value> & {
  /** Throws if the value does not suit the net. Applies only to options, because a recipe may name what a net lacks. */
  fits?(value: Value, model: SegmentationNet): void;
  /** What it is where neither an option nor a recipe says otherwise, and that is not one `fallback`. */
  fallbackOf?(of: FallbackOf): Value;
  /** The default of a run without a recipe, where that is another. */
  readonly runFallback?: (optimizer: OptimizerName) => Value;
};

/** Rows by the names of their settings. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;

export type SettingsOf<Options> = { readonly [Name in keyof Options]-?: Setting<NonNullable<Options[Name]>> };
