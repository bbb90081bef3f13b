import type { SampleOrder } from "../../../data/loader/plan.js";
import { valuesOf } from "../../../options/option.js";
import type { OptimizerName } from "../../optimizer/optimizers.js";
import { type Recipe, recipe } from "../../settings/recipes.js";
import { RUN } from "../../settings/run.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import type { SettingTable } from "../../settings/setting.js";
import { TRAINING } from "../../settings/training.js";
import type { TrainOptions } from "../../settings/trainOptions.js";

/** The optimiser of a run. With a recipe it is SGD, because recipes were published for SGD. */
export const optimizerOf = ({ optimizer, recipe }: Pick<TrainRunOptions, "optimizer" | "recipe">): OptimizerName =>
  optimizer ?? (recipe === undefined ? "adamw" : "sgd");

/** The options that `train` takes over from those of a run. */
export function trainSettings(options: TrainRunOptions): Partial<TrainOptions> {
  const { recipe } = options;
  const optimizer = optimizerOf(options);
  const own =
    recipe === undefined
      ? valuesOf(TRAINING as SettingTable, ({ runFallback }) => runFallback?.(optimizer))
      : { recipe };
  const given = valuesOf(TRAINING, (_, name) => options[name as keyof typeof TRAINING]);
  return { ...own, ...given, optimizer };
}

/** The order in which a pass draws the images. */
export const orderOf = ({ order, recipe: name }: TrainRunOptions): SampleOrder =>
  order ?? (name === undefined ? undefined : (recipe(name) as Recipe).order) ?? RUN.order.fallback;
