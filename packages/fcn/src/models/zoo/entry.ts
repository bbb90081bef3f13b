import type { RulesOf } from "@fcn/tensor/internal";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { Graph } from "../graph/spec.js";
import type { ModelOptions, Resolved } from "../modelOptions.js";

/** A named model: the options that it takes, their defaults, and its layers. */
export interface ModelEntry {
  readonly summary: string;
  /** The options that the model takes in addition to `numClasses`, `seed` and `inChannels`. */
  readonly defaults: Partial<Resolved>;
  /** Rules for options of which this model takes fewer or other values than usual. */
  readonly rules?: Partial<RulesOf<ModelOptions>>;
  /** Whose names the state dict has. */
  readonly keys: "Caffe" | "torchvision" | "d2l" | "own";
  /** The published classifiers that the backbone can start from, as the registry of weights names their model. */
  readonly backbone?: string;
  /** Preprocessing of the published weights with these layer names, if it is not ImageNet's mean and deviation. */
  readonly preprocessing?: Preprocessing;
  /** The layers under the name of the model. */
  readonly graph: (options: Resolved, name: string) => Graph;
}

export type Family = Readonly<Record<string, ModelEntry>>;
