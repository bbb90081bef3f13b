import { fileError } from "../../../data/files/errors.js";
import type { LoaderState } from "../../../data/loader/options.js";
import { withPresentNames } from "../../../files/formerNames.js";
import type { OpenInterval } from "../../settings/options.js";
import type { Configuration } from "../configuration.js";
import type { DataState } from "./dataState.js";
import { type History, readHistory } from "./history.js";

/** What a checkpoint's strings say about the run, apart from the step and the values. */
export interface SavedState {
  readonly configuration: Configuration;
  readonly adapters: readonly string[];
  readonly data: DataState | undefined;
  readonly loader: LoaderState;
  /** Number of calls of each dropout layer, by its name. */
  readonly dropout: Readonly<Record<string, number>>;
  readonly history: History;
  readonly open: OpenInterval | undefined;
}

type Strings = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";

/** Whether a value has these fields, each of its kind. */
const has = (value: unknown, fields: Readonly<Record<string, (field: unknown) => boolean>>): boolean =>
  isRecord(value) && Object.entries(fields).every(([name, holds]) => holds(value[name]));
const listOf =
  (holds: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(holds);

const isScores = (value: unknown): boolean =>
  has(value, {
    pixelAccuracy: isNumber,
    meanAccuracy: isNumber,
    meanIU: isNumber,
    frequencyWeightedIU: isNumber,
    perClassIU: listOf(isNumber),
    perClassAccuracy: listOf(isNumber),
    confusion: listOf(listOf(isNumber)),
  });
const areImages = listOf((item) => has(item, { index: isCount, meanIU: isNumber }));
const isValidation = (value: unknown): boolean =>
  has(value, { step: isCount, scores: isScores, worst: areImages, best: areImages }) &&
  ((value as Fields).heads === undefined ||
    has(value, { heads: (heads) => Object.values(heads ?? 0).every(isScores) }));
const isReading = (value: unknown): boolean => has(value, { step: isCount, loss: isNumber, learningRate: isNumber });
const isHistory = (value: unknown): boolean =>
  has(value, {
    readings: listOf(isReading),
    validations: listOf(isValidation),
    best: (best) => best === undefined || isValidation(best),
  });

/** Names that some checkpoints use for settings. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  iterSize: "accumulationSteps",
  trainingPictures: "trainingImages",
  validationPictures: "validationImages",
};

/**
 * The configuration in a checkpoint. A file without one has no settings. Some files call the loss `criterion` and its
 * reduction `loss`.
 */
export function readConfiguration(file: string, strings: Strings): Configuration {
  const saved = field<Fields>(file, strings, "configuration", isRecord, JSON.parse) ?? {};
  const { criterion, loss, ...rest } = saved;
  const told = criterion === undefined ? saved : { ...rest, loss: criterion, reduction: loss };
  return withPresentNames(told, FORMER_NAMES);
}

/**
 * Everything that a checkpoint says, checked before anything is used. Throws `corrupt-file` with the name of the field.
 */
export function readState(file: string, strings: Strings): SavedState {
  const parse = <T>(name: string, holds: (value: unknown) => boolean): T | undefined =>
    field(file, strings, name, holds, JSON.parse);
  const need = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) throw damaged(file, name, "is not there");
    return value;
  };
  return {
    configuration: readConfiguration(file, strings),
    adapters: parse<string[]>("adapters", listOf(isText)) ?? [],
    data: parse<DataState>("data", (value) => has(value, { images: isText, labels: isText })),
    loader: need(
      "loader",
      parse<LoaderState>("loader", (value) => has(value, { epoch: isCount, batch: isCount })),
    ),
    dropout:
      parse<Record<string, number>>("dropout", (value) => isRecord(value) && Object.values(value).every(isCount)) ?? {},
    history: need("history", field<History>(file, strings, "history", isHistory, readHistory)),
    open: parse<OpenInterval>("open", (value) => has(value, { sum: isNumber, count: isCount })),
  };
}

function field<T>(
  file: string,
  strings: Strings,
  name: string,
  holds: (value: unknown) => boolean,
  parse: (text: string) => unknown,
): T | undefined {
  const text = strings[name];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw damaged(file, name, "is not JSON", cause);
  }
  if (!holds(value)) throw damaged(file, name, "is not what a run writes there");
  return value as T;
}

function damaged(file: string, name: string, problem: string, cause?: unknown): Error {
  const fix = "remove the file, so that the run begins anew, or put a copy of it in its place";
  return fileError("corrupt-file", file, `the checkpoint is damaged: its field "${name}" ${problem}`, fix, cause);
}
