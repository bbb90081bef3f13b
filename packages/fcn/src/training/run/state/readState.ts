import { rules } from "@fcn/tensor/internal";
import { fileError } from "../../../data/files/errors.js";
import type { LoaderState } from "../../../data/loader/loaderOptions.js";
import { withPresentNames } from "../../../files/formerNames.js";
import type { OpenInterval } from "../../settings/trainOptions.js";
import type { Configuration } from "../configuration.js";
import type { DataState } from "./dataState.js";
import type { History } from "./history.js";

/** What a checkpoint says about the run, as JSON, apart from the step and the values of net and optimiser. */
export interface SavedState {
  readonly configuration: Configuration;
  /** Names of the adapters that made the steps so far. Each rounds in its own way. */
  readonly adapters: readonly string[];
  /** State of the images and masks; undefined for samples in memory. */
  readonly data: DataState | undefined;
  readonly loader: LoaderState;
  /** Number of calls of each dropout layer, by its name. */
  readonly dropout: Readonly<Record<string, number>>;
  readonly history: History;
  /** The unfinished interval between two readings that contains the step; undefined at a reading. */
  readonly open: OpenInterval | undefined;
}

type Strings = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;
type Holds = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = rules.whole(0).holds;
const isText: Holds = (value) => typeof value === "string";
const isNumber: Holds = (value) => typeof value === "number";

/** An object with these fields, each of its kind. */
const has =
  (fields: Readonly<Record<string, Holds>>): Holds =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, holds]) => holds(value[name]));
const listOf =
  (holds: Holds): Holds =>
  (value) =>
    Array.isArray(value) && value.every(holds);
const recordOf =
  (holds: Holds): Holds =>
  (value) =>
    isRecord(value) && Object.values(value).every(holds);
const optional =
  (holds: Holds): Holds =>
  (value) =>
    value === undefined || holds(value);

const isScores = has({
  pixelAccuracy: isNumber,
  meanAccuracy: isNumber,
  meanIU: isNumber,
  frequencyWeightedIU: isNumber,
  perClassIU: listOf(isNumber),
  perClassAccuracy: listOf(isNumber),
  confusion: listOf(listOf(isNumber)),
});
const areImages = listOf(has({ index: isCount, meanIU: isNumber }));
const isValidation = has({
  step: isCount,
  scores: isScores,
  loss: optional(isNumber),
  heads: optional(recordOf(isScores)),
  worst: areImages,
  best: areImages,
});

const FIELDS: Readonly<Record<keyof SavedState, Holds>> = {
  configuration: isRecord,
  adapters: listOf(isText),
  data: has({ images: isText, labels: isText }),
  loader: has({ epoch: isCount, batch: isCount }),
  dropout: recordOf(isCount),
  history: has({
    readings: listOf(has({ step: isCount, loss: isNumber, learningRate: isNumber })),
    validations: listOf(isValidation),
    best: optional(isValidation),
  }),
  open: has({ sum: isNumber, count: isCount }),
};

/** The values of fields that a checkpoint need not have. */
const ABSENT: Partial<SavedState> = { configuration: {}, adapters: [], data: undefined, dropout: {}, open: undefined };

/** Names that some checkpoints use for settings. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  iterSize: "accumulationSteps",
  trainingPictures: "trainingImages",
  validationPictures: "validationImages",
};

/**
 * The configuration in a checkpoint. A file without one has no settings. Some files call the loss `criterion` and its
 * reduction `loss`, and some are of runs in float32 without saying so.
 */
export function readConfiguration(file: string, strings: Strings): Configuration {
  const saved = readField(file, strings, "configuration") as Fields;
  const { criterion, loss, ...rest } = saved;
  const told = criterion === undefined ? saved : { ...rest, loss: criterion, reduction: loss };
  return { precision: "float32", ...withPresentNames(told, FORMER_NAMES) };
}

/**
 * Everything that a checkpoint says, checked before anything is used. Throws `corrupt-file` with the name of the field.
 */
export function readState(file: string, strings: Strings): SavedState {
  const names = Object.keys(FIELDS) as (keyof SavedState)[];
  const fields = Object.fromEntries(names.map((name) => [name, readField(file, strings, name)]));
  return { ...(fields as unknown as SavedState), configuration: readConfiguration(file, strings) };
}

/** JSON has no NaN, so the scores of absent classes are null in it. */
const nanForNull = (_: string, value: unknown): unknown => (value === null ? Number.NaN : value);

/** A field of a checkpoint, checked. Throws `corrupt-file` with its name. */
export function readField(file: string, strings: Strings, name: keyof SavedState): unknown {
  const text = strings[name];
  if (text === undefined) {
    if (Object.hasOwn(ABSENT, name)) return ABSENT[name];
    throw damaged(file, name, "is missing");
  }
  let value: unknown;
  try {
    value = JSON.parse(text, name === "history" ? nanForNull : undefined);
  } catch (cause) {
    throw damaged(file, name, "is not JSON", cause);
  }
  if (!FIELDS[name](value)) throw damaged(file, name, "is not what a run writes there");
  return value;
}

function damaged(file: string, name: string, problem: string, cause?: unknown): Error {
  const fix = "remove the file, so that the run starts from the beginning, or restore it from a copy";
  return fileError("corrupt-file", file, `the checkpoint is damaged: its field "${name}" ${problem}`, fix, cause);
}
