import { createDevice, type Device, type TensorError } from "@fcn/tensor";
import { mapAhead } from "../../async/pipeline.js";
import { type ToldError, toldOf } from "../../data/files/errors.js";
import { savedTuning } from "../../measure/savedTuning.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { adapterName } from "../../report/adapter.js";
import { imageError, type PredictionResult, type PredictOptions, predictEach, preparePrediction } from "../predict.js";
import type { NpyProbabilities } from "../probabilities.js";
import type { Input } from "./inputs.js";
import { classShares, OutputFolder, type OutputName, type OutputPaths, type Predicted, summaryOf } from "./outputs.js";

export interface PredictRun {
  readonly inputs: readonly Input[];
  readonly weights: string;
  readonly out: string;
  /** What is written of each image. */
  readonly save: readonly OutputName[];
  readonly options: PredictOptions;
  /** Pixels that polygons may move by. */
  readonly tolerance: number;
  /** Writes over files that are no results of predict; inputs are never written over. Default false. */
  readonly overwrite?: boolean;
  /** Is told of each image whose results are all written, also where the run ends with an error before its report. */
  readonly onWritten?: (input: Input) => void;
}

/** What became of one input: what is known of the image, and the files written; or what was wrong. */
export type ImageReport =
  | (ReturnType<typeof summaryOf> & { readonly files: Readonly<Partial<Record<OutputName, string>>> })
  | {
      readonly input: string;
      readonly error: ToldError;
    };

export interface PredictSummary {
  readonly model: string;
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly out: string;
  readonly images: readonly ImageReport[];
  readonly failed: number;
  /** From the first image on, without opening the device and the net. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** The most bytes that were allocated on the GPU at once (`device.memory().peakBytes`). */
  readonly peakBytes: number;
}

/** Images whose results are encoded and written at a time, beside the device's work. */
const WRITE_AHEAD = 4;

/**
 * Predicts images and writes the results into a folder; images are decoded, predicted and written at the same time, in
 * order, a few of each at once. An image that fails is told in `onImage`'s report and left out. Throws where nothing
 * can be done: no net, no device, no folder, other files in the way, a full disk.
 */
export async function runPredict(run: PredictRun, onImage: (report: ImageReport) => void): Promise<PredictSummary> {
  const folder = new OutputFolder(run.out, run.save);
  await folder.open();
  const places = await folder.reserve(run.inputs, run);
  try {
    const device = await createDevice({ tuning: savedTuning });
    try {
      return await predictAndWrite(run, device, { folder, places }, onImage);
    } finally {
      device.destroy();
    }
  } finally {
    await folder.close();
  }
}

async function predictAndWrite(
  run: PredictRun,
  device: Device,
  { folder, places }: { readonly folder: OutputFolder; readonly places: ReadonlyMap<Input, OutputPaths> },
  onImage: (report: ImageReport) => void,
): Promise<PredictSummary> {
  const loaded = await loadModel(run.weights, device);
  const { classes, palette, model } = loaded.metadata;
  const wants = (name: OutputName): boolean => run.save.includes(name);
  const { inference, outputs, scale } = preparePrediction("predict", loaded, {
    ...run.options,
    overlay: wants("overlay") && (run.options.overlay || true),
  });
  const start = performance.now();
  const targets = new Map<Input, Target>();
  const results = predictEach(
    inference,
    run.inputs,
    (input) => input.load(scale),
    (input, image) => {
      const paths = places.get(input) as OutputPaths;
      const probabilities = folder.probabilities(paths, image);
      targets.set(input, { paths, probabilities });
      return { ...outputs, probabilities: probabilities ?? false };
    },
  );
  const write = async ({ item, prediction, error }: PredictionResult<Input>): Promise<ImageReport> => {
    const target = targets.get(item);
    try {
      if (error) return failure(item, error);
      const { paths, probabilities } = target as Target;
      const shares = classShares(prediction, classes);
      const looks = { classes, palette, plain: outputs.overlay?.plain ?? -1, tolerance: run.tolerance };
      const predicted: Predicted = { input: item.name, prediction, probabilities, shares, ...looks };
      await folder.write(paths, predicted);
      run.onWritten?.(item);
      return { ...summaryOf(predicted), files: Object.fromEntries(paths) };
    } catch (problem) {
      return failure(item, imageError(problem));
    } finally {
      await target?.probabilities?.discard();
      targets.delete(item);
    }
  };
  const images: ImageReport[] = [];
  try {
    for await (const report of mapAhead(results, WRITE_AHEAD, write)) {
      images.push(report);
      onImage(report);
    }
  } finally {
    for (const { probabilities } of targets.values()) await probabilities?.discard();
  }
  const seconds = (performance.now() - start) / 1000;
  const failed = images.filter((report) => "error" in report).length;
  const { software } = device.info;
  return {
    model,
    adapter: { description: adapterName(device.info), software },
    out: run.out,
    images,
    failed,
    seconds,
    imagesPerSecond: (images.length - failed) / seconds,
    peakBytes: device.memory().peakBytes,
  };
}

/** Where the results of an image go. */
interface Target {
  readonly paths: OutputPaths;
  readonly probabilities: NpyProbabilities | undefined;
}

const failure = ({ name }: Input, error: TensorError): ImageReport => ({ input: name, error: toldOf(error) });
