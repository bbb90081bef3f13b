import { type Rule, TensorError } from "@fcn/tensor";
import { rules } from "@fcn/tensor/internal";
import { IMAGENET_MEAN } from "../../data/published/means.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import { withPresentNames } from "../../files/formerNames.js";
import type { Colour } from "../../labels/colours.js";
import { parseGraph, stringifyGraph } from "../graph/check.js";
import type { Graph } from "../graph/spec.js";
import type { ModelOptions } from "../index.js";

/** What a weights file says about its net: enough to build it again, feed it and name its classes. */
export interface ModelMetadata {
  /** Name for `models.create`, or, for a net with a graph of its own, a name for people to read. */
  readonly model: string;
  readonly options: ModelOptions;
  /** The layers of a net that does not come from `models.create`. */
  readonly graph?: Graph | undefined;
  readonly classes: readonly string[];
  /** Red, green and blue of each class, 0 to 255. */
  readonly palette: readonly (readonly [number, number, number])[];
  readonly preprocessing: Preprocessing;
}

const FIELDS = ["model", "options", "graph", "classes", "palette", "preprocessing"] as const;
type Field = (typeof FIELDS)[number];

/** What a file may say. A file of a backbone alone has at most `options`, without `numClasses`, and `preprocessing`. */
export type PartialMetadata = Partial<Omit<ModelMetadata, "options">> & { readonly options?: Partial<ModelOptions> };

/**
 * Every given field as JSON, the form in which files carry them. A net with a graph is described by the graph alone,
 * because its name and options mean nothing to `models.create`.
 */
export function encodeMetadata(metadata: PartialMetadata): Record<string, string> {
  const { graph, model } = metadata;
  const isNamed = graph === undefined || (model !== undefined && model !== graph.name);
  const left: readonly Field[] = [...(isNamed ? [] : ["model" as const]), ...(graph ? ["options" as const] : [])];
  const given = FIELDS.filter((field) => metadata[field] !== undefined && !left.includes(field));
  const text = (field: Field): string =>
    field === "graph" ? stringifyGraph("saveModel", graph as Graph) : JSON.stringify(metadata[field]);
  return Object.fromEntries(given.map((field) => [field, text(field)]));
}

/**
 * Preprocessing by ImageNet's means for images of this many channels. Further channels are centred on the middle of 0
 * to 255.
 */
export function imagenetPreprocessing(channels: number): Preprocessing {
  const fill = (own: readonly number[], value: number): number[] =>
    Array.from({ length: channels }, (_, c) => (channels >= 3 ? own[c] : undefined) ?? value);
  return { channelOrder: "rgb", mean: fill(IMAGENET_MEAN.mean, 127.5), std: fill(IMAGENET_MEAN.std, 57) };
}

/** Names for classes that have none: `class 0`, `class 1`, ... */
export const numberedClasses = (count: number): string[] =>
  Array.from({ length: count }, (_, label) => `class ${label}`);

/** The metadata in a weights file's `__metadata__` strings. Throws `invalid-file` unless they describe a net. */
export function parseMetadata(strings: Readonly<Record<string, string>>): ModelMetadata {
  const hasGraph = strings.graph !== undefined;
  const missing = FIELDS.filter((field) => {
    const isLeft = hasGraph ? field === "model" || field === "options" : field === "graph";
    return !isLeft && strings[field] === undefined;
  });
  if (missing.length > 0) {
    throw new TensorError({
      code: "invalid-file",
      message: `loadModel: the weights file does not say which net it belongs to: its metadata lacks ${missing.join(", ")}`,
      fix: {
        code: "use a file that saveModel, encodeModel or a training run wrote, or build the net with models.create and loadStateDict",
        command: "use a file that a training run wrote, or have one made that says it: fcn convert IN OUT --model NAME",
      },
    });
  }
  const present = FIELDS.filter((field) => strings[field] !== undefined);
  // Text that is not JSON is reported before values of the wrong kind.
  for (const field of present) if (field !== "graph") parseJson(field, strings[field] as string);
  const fields = Object.fromEntries(
    present.map((field) => [field, parseField(field, strings[field] as string)]),
  ) as unknown as ModelMetadata;
  if (fields.graph === undefined) return fields;
  const numClasses = fields.classes.length;
  return { ...fields, model: fields.model ?? fields.graph.name, options: { numClasses } };
}

/** The classes that a file names, or undefined if it names none. */
export function readClasses(strings: Readonly<Record<string, string>>): readonly string[] | undefined {
  if (strings.classes === undefined) return undefined;
  const classes = parseJson("classes", strings.classes);
  return isStrings(classes) ? classes : undefined;
}

/** What a file says of its net. It may say less than everything, or nothing, unless it holds a whole net. */
export function parsePartialMetadata(strings: Readonly<Record<string, string>>): PartialMetadata {
  if ("model" in strings || "graph" in strings) return parseMetadata(strings);
  const fields = (["options", "preprocessing"] as const).filter((field) => strings[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, parseField(field, strings[field] as string)]));
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => typeof item === "number" && Number.isFinite(item));
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isColour = (value: unknown): value is Colour =>
  isNumbers(value) && value.length === 3 && value.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);

export const isPreprocessing = (value: unknown): value is Preprocessing =>
  isObject(value) &&
  (value.channelOrder === "rgb" || value.channelOrder === "bgr") &&
  isNumbers(value.mean) &&
  isNumbers(value.std) &&
  value.mean.length === value.std.length &&
  value.std.every((deviation) => deviation > 0);

const { rule } = rules;
const RULES: Readonly<Record<Exclude<Field, "graph">, Rule<unknown>>> = {
  model: rule("the name of a model", (value) => typeof value === "string"),
  options: rule("an object", isObject),
  classes: rule("a list of names", isStrings),
  palette: rule("a list of colours [r, g, b]", (value) => Array.isArray(value) && value.every(isColour)),
  preprocessing: rule("{ channelOrder, mean, std }", isPreprocessing),
};

function parseField(field: Field, text: string): unknown {
  if (field === "graph") return parseGraph("loadModel", text);
  const value = parseJson(field, text);
  if (RULES[field].holds(value)) return field === "options" ? withPresentNames(value as object, FORMER_OPTIONS) : value;
  throw badField(field, `is not ${RULES[field].what}`, text);
}

/** Options that some files have under another name. */
const FORMER_OPTIONS: Readonly<Record<string, string>> = { trunkStride: "backboneStride" };

function parseJson(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badField(field, "is not JSON", text);
  }
}

function badField(field: string, problem: string, text: string): TensorError {
  return new TensorError({
    code: "invalid-file",
    message: `loadModel: the metadata field "${field}" of the weights file ${problem}: ${text.slice(0, 60)}`,
    fix: {
      code: "write the file again with saveModel or encodeModel",
      command: "use a file that a training run wrote, or have one made: fcn convert IN OUT --model NAME",
    },
  });
}
