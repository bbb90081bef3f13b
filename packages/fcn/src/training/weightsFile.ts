import { type Device, io, TensorError } from "@fcn/tensor";
import type { Preprocessing } from "../data/preprocessing.js";
import { create, type GraphNet, type ModelOptions } from "../models/index.js";
import { findNonFinite } from "./finite.js";
import type { SegmentationNet } from "./model.js";

/** What a weights file says about its net: enough to build it again, feed it and name its classes. */
export interface ModelMetadata {
  /** Name for `models.create`. */
  readonly model: string;
  readonly options: ModelOptions;
  readonly classes: readonly string[];
  /** Red, green, blue (0 to 255) of each class. */
  readonly palette: readonly (readonly [number, number, number])[];
  readonly preprocessing: Preprocessing;
}

const FIELDS = ["model", "options", "classes", "palette", "preprocessing"] as const;

/** Writes the net's weights and what is needed to use them to a safetensors file. */
export async function saveModel(path: string, model: SegmentationNet, metadata: ModelMetadata): Promise<void> {
  await io.writeSafetensors(path, model.stateDict(), { metadata: encodeMetadata(metadata) });
}

/** What a file may say: one of a trunk alone tells `options`, without `numClasses`, and `preprocessing` at most. */
export type PartialMetadata = Partial<Omit<ModelMetadata, "options">> & { readonly options?: Partial<ModelOptions> };

/** Each field that is given as JSON, which is how files carry them. */
export function encodeMetadata(metadata: PartialMetadata): Record<string, string> {
  const given = FIELDS.filter((field) => metadata[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, JSON.stringify(metadata[field])]));
}

/** A net from a file that {@link saveModel} wrote. */
export interface LoadedModel {
  readonly model: GraphNet;
  readonly metadata: ModelMetadata;
}

/**
 * Builds the net that a weights file describes and gives it the file's weights. Throws when the file does not describe one, and "not-finite" where a
 * weight is NaN or infinite.
 */
export async function loadModel(source: string | Uint8Array, device: Device): Promise<LoadedModel> {
  const metadata = parseMetadata(await io.readSafetensorsMetadata(source));
  const model = create(metadata.model, device, metadata.options);
  try {
    await io.loadWeights(model, source);
    await refuseNonFinite("loadModel", model, source);
  } catch (error) {
    model.dispose();
    throw error;
  }
  model.eval();
  return { model, metadata };
}

/** Such a net answers, and the answer means nothing: often the first class everywhere. */
export async function refuseNonFinite(op: string, model: SegmentationNet, source: string | Uint8Array): Promise<void> {
  const found = await findNonFinite(model);
  if (found === undefined) return;
  throw new TensorError({
    code: "not-finite",
    message: `${op}: ${typeof source === "string" ? source : "the weights file"}: ${found} holds NaN or infinity`,
    fix: "take weights from before the training diverged, or train again at a lower learning rate",
  });
}

/** The metadata of a weights file, from the strings under `__metadata__`. */
export function parseMetadata(strings: Readonly<Record<string, string>>): ModelMetadata {
  const missing = FIELDS.filter((field) => strings[field] === undefined);
  if (missing.length > 0) {
    throw new TensorError({
      code: "invalid-file",
      message: `loadModel: the weights file does not say which net it belongs to: its metadata lacks ${missing.join(", ")}`,
      fix: "use a file that saveModel or a training run wrote, have one made that says it (fcn convert --model), or build the net with models.create and loadStateDict",
      commandFix:
        "use the weights file of a training run, or have one made that says it: fcn convert FILE weights.safetensors --model NAME",
    });
  }
  const entries = FIELDS.map((field) => [field, parseField(field, strings[field] as string)]);
  return Object.fromEntries(entries) as ModelMetadata;
}

/** The classes that a file names; undefined where it names none. */
export function readClasses(strings: Readonly<Record<string, string>>): readonly string[] | undefined {
  if (strings.classes === undefined) return undefined;
  const classes = parseField("classes", strings.classes);
  return Array.isArray(classes) && classes.every((name) => typeof name === "string") ? classes : undefined;
}

/** What a file says of its net; less than all, or nothing, where it is not of a whole net. */
export function parsePartialMetadata(strings: Readonly<Record<string, string>>): PartialMetadata {
  if ("model" in strings) return parseMetadata(strings);
  const fields = (["options", "preprocessing"] as const).filter((field) => strings[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, parseField(field, strings[field] as string)]));
}

function parseField(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TensorError({
      code: "invalid-file",
      message: `loadModel: the metadata field "${field}" of the weights file is not JSON: ${text.slice(0, 60)}`,
      fix: "write the file again with saveModel",
      commandFix: "use the weights file of a training run, or have it made anew: fcn convert --model",
    });
  }
}
