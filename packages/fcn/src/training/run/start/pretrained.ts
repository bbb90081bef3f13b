import { hasCode } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf } from "../../../data/files/files.js";
import { localFile } from "../../../files/fetchBytes.js";
import { list } from "../../../models/index.js";
import type { FetchedWeights } from "../../../weights/registry/fetchWeights.js";
import { fitting, type Wanted } from "../../../weights/registry/ofModel.js";
import { findHere, providePretrained } from "../../../weights/registry/pretrained.js";
import { describeWeights, listWeights } from "../../../weights/registry/registry.js";
import { bothWays } from "../../remedies.js";
import { DEFAULT_MODEL, type TrainRunOptions } from "../../settings/runOptions.js";
import type { Configuration } from "../configuration.js";
import type { RunData } from "./data.js";

/** The options of a run with its model and starting weights decided. */
export interface ChosenStart {
  readonly options: TrainRunOptions;
  /** What `options.weights` names: its path, or its bytes if it is elsewhere. Absent if it is gone. */
  readonly file?: string | Blob | undefined;
  /** Published weights, whose file is `options.weights`. */
  readonly pretrained?: FetchedWeights | undefined;
}

/**
 * Decides what a run starts from. A run that continues from a checkpoint, whose configuration is `saved`, keeps its
 * start.
 */
export async function chooseStart(
  options: TrainRunOptions,
  { sample }: RunData,
  saved: Configuration | undefined,
): Promise<ChosenStart> {
  const { pretrained: choice = "none", weights, view, signal } = options;
  refuseTwoStarts(options);
  if (saved !== undefined || weights !== undefined) return { options, file: await fileOf(weights, saved) };
  const model = options.model ?? modelOf(choice, view);
  const named = { ...options, model };
  if (choice === "none") return { options: named };
  const which = choice === "auto" || choice === "default" ? undefined : choice;
  const isListed = typeof model === "string" && list().includes(model);
  if (!isListed) {
    if (choice === "auto") return { options: named };
    throw ownNet();
  }
  const { widthMultiplier } = options.modelOptions ?? {};
  const wanted = { model, widthMultiplier, channels: sample.image.channels };
  if (choice === "auto" && (await findHere(wanted)) === undefined) {
    view?.line?.(tellRandom(wanted, "code"), tellRandom(wanted, "command"));
    return { options: named };
  }
  const pretrained = await providePretrained("train", wanted, {
    which,
    ...(signal ? { signal } : {}),
    onProgress: ({ received, total = received }) => view?.fetching?.(received, total),
  });
  return { options: { ...named, weights: pretrained.path }, file: pretrained.path, pretrained };
}

/** A file elsewhere is fetched once for all that is read of it. A run that goes on needs none. */
async function fileOf(
  weights: string | undefined,
  saved: Configuration | undefined,
): Promise<string | Blob | undefined> {
  if (weights === undefined) return undefined;
  try {
    const file = (await localFile("train", weights)) as string | Blob;
    const isGone = saved !== undefined && typeof file === "string" && (await kindOf(file)) === undefined;
    return isGone ? undefined : file;
  } catch (error) {
    if (saved !== undefined && hasCode(error, "missing-data", "download-refused")) return undefined;
    throw error;
  }
}

/** The model of a run that names none: that of the chosen weights if they are of a whole net. */
function modelOf(choice: string, view: TrainRunOptions["view"]): string {
  const entry = listWeights().includes(choice) ? describeWeights(choice) : undefined;
  if (entry?.part === "net") return entry.model;
  view?.line?.(`the net is ${DEFAULT_MODEL}, as none is named`, `the net is ${DEFAULT_MODEL} (--model names another)`);
  return DEFAULT_MODEL;
}

function tellRandom(wanted: Wanted, reader: "code" | "command"): string {
  const all = fitting(wanted);
  const packaged = all.find(({ npm }) => npm !== undefined)?.npm?.package;
  const fetching = reader === "code" ? 'pretrained: "default" fetches' : "--pretrained fetches";
  const ways = [
    ...(packaged === undefined ? [] : [`npm install ${packaged}`]),
    ...(all.some(({ url }) => url !== undefined) ? [`${fetching} them`] : []),
  ];
  if (ways.length === 0) return `starting from random weights: none are published for this ${wanted.model}`;
  return `starting from random weights; for pretrained ones: ${ways.join(", or ")}`;
}

/** How a run names the published weights that it starts from. */
export function tellPretrained(name: string, { pretrained }: TrainRunOptions): string {
  const leave = pretrained === "auto" ? ", which are on this machine (--pretrained none leaves them out)" : "";
  return `starting from the published weights ${name}${leave}`;
}

function refuseTwoStarts({ pretrained = "none", weights }: TrainRunOptions): void {
  if (weights === undefined || pretrained === "none" || pretrained === "auto") return;
  throw invalidArgument(
    `train: weights ${JSON.stringify(weights)} and pretrained ${JSON.stringify(pretrained)} cannot be used together`,
    "give one of them",
  );
}

const ownNet = () =>
  invalidArgument(
    "train: pretrained weights are published for nets with a name, not for a graph",
    bothWays((say) => `name a model (${say("models.list()", "--model")}), or start from random weights`),
  );
