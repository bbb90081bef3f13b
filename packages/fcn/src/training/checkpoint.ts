import { io, type optim, TensorError } from "@fcn/tensor";
import { checkValue, rules } from "@fcn/tensor/internal";
import { type FileSource, type LoadOptions, localFile, sourceName } from "../files/fetchBytes.js";
import { describeNet } from "../models/file/describeNet.js";
import { encodeMetadata, type ModelMetadata } from "../models/file/metadata.js";
import { netGraph, type SegmentationNet } from "../models/segmentationNet.js";
import { withoutUndefined } from "../options/option.js";
import type { Optimizer } from "./optimizer/schedules.js";
import { FORMAT, readStates, restoreModel, stateArrays } from "./run/state/checkpointArrays.js";
import { readField } from "./run/state/readState.js";
import type { OpenInterval, TrainState } from "./settings/trainOptions.js";

/** What a checkpoint holds beside the net: what `onProgress` of `train` is given. */
export interface CheckpointOptions {
  /** Number of steps made: `progress.step`. */
  readonly step: number;
  readonly optimizer: Optimizer;
  /** Needed for a training in float16. */
  readonly scaler?: optim.GradScaler | undefined;
  /** Needed for a training with `ema`. */
  readonly average?: optim.ExponentialMovingAverage | undefined;
  /** `progress.open`. */
  readonly open?: OpenInterval | undefined;
  /** What `encodeModel` takes, so that `loadModel` reads the checkpoint too. */
  readonly metadata?: Partial<ModelMetadata> | undefined;
}

/**
 * The bytes of a safetensors file with all that a training needs to go on as if it had not stopped: weights, running
 * statistics, the optimiser's state, and what is left of a reading of the loss, in Node and in the browser. A page
 * keeps them wherever it likes; {@link loadCheckpoint} reads them. The arrays have the names that the checkpoints of
 * `trainRun` give them. A net that has a graph is described as `encodeModel` does, so that `loadModel` makes it again.
 *
 * @example
 * ```ts
 * import { encodeCheckpoint, loadCheckpoint, models, train } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const model = models.create("fcn32s-small", device, { numClasses: 2, seed: 1 });
 * const image = { data: new Uint8Array(12288), height: 64, width: 64, channels: 3 };
 * const data = [{ name: "black", image, labels: new Uint8Array(4096) }];
 * const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] } as const;
 * const settings = { data, preprocessing, numClasses: 2, steps: 4, learningRate: 0.01, readEvery: 2 };
 * let bytes = new Uint8Array();
 * await train({
 *   model,
 *   ...settings,
 *   onProgress: async ({ step, open }, optimizer, scaler, average) => {
 *     if (step === 2) bytes = await encodeCheckpoint(model, { step, optimizer, scaler, average, open });
 *   },
 * });
 * const again = models.create("fcn32s-small", device, { numClasses: 2 });
 * const from = await loadCheckpoint(bytes, again);
 * await train({ model: again, ...settings, from }); // steps 3 and 4, to the same bits
 * device.destroy();
 * ```
 */
export async function encodeCheckpoint(
  model: SegmentationNet,
  options: CheckpointOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { step, open, metadata } = options;
  checkValue("encodeCheckpoint", "step", step, rules.whole(0));
  const { arrays, dropout } = stateArrays(model, options);
  const isDescribed = netGraph(model) !== undefined || metadata?.model !== undefined;
  const described = isDescribed ? encodeMetadata(describeNet("encodeCheckpoint", model, metadata ?? {})) : {};
  const texts = Object.entries(withoutUndefined({ dropout, open })).map(([name, value]) => [
    name,
    JSON.stringify(value),
  ]);
  const fields = { ...described, ...Object.fromEntries(texts), format: FORMAT, step: String(step) };
  return (await io.encodeSafetensors(arrays, { metadata: fields })) as Uint8Array<ArrayBuffer>;
}

/**
 * Puts a net back to where it was at {@link encodeCheckpoint}, and returns where its training was: pass it as `from` to
 * `train`, with the same options. Checkpoints of `trainRun` are taken too. The file is given as to `loadModel`.
 *
 * Throws `checkpoint-mismatch` for a file that is no checkpoint or of another version, `state-dict-mismatch` for
 * another net, and what `loadModel` throws for files that cannot be read.
 */
export async function loadCheckpoint(
  source: FileSource,
  model: SegmentationNet,
  options: LoadOptions = {},
): Promise<TrainState> {
  const file = await localFile("loadCheckpoint", source, options);
  const name = sourceName(file);
  const { dropout, ...state } = await io.openWeights(file, async (weights) => {
    const { metadata } = weights;
    const step = Number(metadata.step ?? Number.NaN);
    if (metadata.format !== FORMAT || !Number.isSafeInteger(step) || step < 0)
      throw noCheckpoint(name, metadata.format);
    return {
      step,
      dropout: readField(name, metadata, "dropout") as Readonly<Record<string, number>>,
      open: readField(name, metadata, "open") as OpenInterval | undefined,
      ...(await readStates(weights)),
    };
  });
  await restoreModel(model, file, dropout);
  const { scaler, average, ...rest } = state;
  const isEmpty = (saved: optim.SavedState): boolean => Object.keys(saved).length === 0;
  return { ...rest, ...(isEmpty(scaler) ? {} : { scaler }), ...(isEmpty(average) ? {} : { average }) };
}

const noCheckpoint = (name: string, format: string | undefined): TensorError =>
  new TensorError({
    code: "checkpoint-mismatch",
    message: `loadCheckpoint: ${name}: ${format === undefined ? "this is no checkpoint of a training" : `its format is ${format}`}; checkpoints of the format ${FORMAT} are read`,
    fix: {
      code: "pass what encodeCheckpoint or trainRun wrote; a file of weights alone is read by loadModel",
    },
  });
