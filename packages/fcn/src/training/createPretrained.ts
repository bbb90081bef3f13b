import { type Device, io } from "@fcn/tensor";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { parsePartialMetadata } from "../models/file/metadata.js";
import { rememberPreprocessing } from "../models/file/usedPreprocessing.js";
import { create, type GraphNet, type ModelOptions, type OutputOf } from "../models/index.js";
import type { FetchedWeights, FetchOptions } from "../weights/registry/fetchWeights.js";
import { mapFor } from "../weights/registry/ofModel.js";
import { providePretrained } from "../weights/registry/pretrained.js";
import { loadStartWeights } from "./run/start/startWeights.js";

/** The options of the model, and where its weights come from. */
export interface CreatePretrainedOptions extends ModelOptions {
  /** A name from `listWeights()`. Default: those of the model on this machine, otherwise the first to fetch. */
  readonly weights?: string;
  /** How the weights are fetched. */
  readonly fetch?: FetchOptions;
}

export interface PretrainedNet<Net> {
  readonly model: Net;
  /** How images become the numbers that these weights want; `saveModel` and `predict` take it from the net. */
  readonly preprocessing: Preprocessing;
  readonly weights: FetchedWeights;
  /** Names of the net that the weights lack or have for other classes, and that start anew: those of the scores. */
  readonly startAnew: readonly string[];
}

/**
 * Builds a net by its name, as `models.create`, and loads published weights into it (Node), as `weights="DEFAULT"` of
 * torchvision: of the whole net where there are some, otherwise of a classifier with its backbone. Options that these
 * weights need are set unless they are given. What scores the classes starts anew if the weights are for others.
 *
 * `const { model, preprocessing } = await fcn.createPretrained("fcn16s-mobilenetv2", device, { numClasses: 3 })`
 *
 * Throws `invalid-argument` if none are published for the model, `state-dict-mismatch` if the options change the sizes
 * of its layers, and what `fetchWeights` and `models.create` throw.
 */
export async function createPretrained<const Name extends string, const Options extends CreatePretrainedOptions>(
  name: Name,
  device: Device,
  options: Options,
): Promise<PretrainedNet<GraphNet<OutputOf<Name, Options>>>> {
  const { weights: which, fetch = {}, ...given } = options;
  const { widthMultiplier, inChannels: channels = 3 } = given;
  const op = `createPretrained ${name}`;
  const weights = await providePretrained(op, { model: name, widthMultiplier, channels }, { ...fetch, which });
  const { entry, path } = weights;
  const says = await io.openWeights(path, ({ format, metadata }) => (format === "safetensors" ? metadata : {}));
  const own = { ...entry.options, ...parsePartialMetadata(says).options, ...given };
  const model = create<OutputOf<Name, Options>>(name, device, own);
  try {
    const { missing, swapped } = await loadStartWeights(model, path, { names: mapFor(entry, name), op });
    rememberPreprocessing(model, entry.preprocessing);
    return { model, preprocessing: entry.preprocessing, weights, startAnew: [...missing, ...swapped] };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
