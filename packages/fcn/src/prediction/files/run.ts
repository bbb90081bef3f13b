import type { Device, DeviceOptions, TensorError } from "@fcn/tensor";
import { mapAhead } from "../../async/pipeline.js";
import { type ToldError, toldOf } from "../../data/files/errors.js";
import type { DataRemark } from "../../data/files/remarks.js";
import { tunedDevice } from "../../measure/tunedDevice.js";
import { loadModels, type Nets } from "../../models/file/weightsFile.js";
import { openPlace } from "../../places/open.js";
import { adapterName } from "../../report/adapter.js";
import { imageError, type PredictionResult, type PredictOptions, predictEach, preparePrediction } from "../predict.js";
import type { NpyProbabilities } from "../probabilities.js";
import type { ScenePlan } from "../scene/plan.js";
import { openScene, type Windows } from "../scene/windows.js";
import { tileRemarks } from "../tileRemarks.js";
import type { Input } from "./inputs.js";
import {
  classShares,
  countLabels,
  type ImageSummary,
  OutputFolder,
  type OutputName,
  type OutputNames,
  type Predicted,
  summaryOf,
} from "./outputs.js";
import { inOrder, planOf, SAVED, sceneRemark, writeScene } from "./scenes.js";

export interface PredictRun {
  readonly inputs: readonly Input[];
  /** Files or addresses of nets whose probabilities are averaged, at least one. */
  readonly weights: readonly string[];
  /** The folder for the results, or the address of a place elsewhere. */
  readonly out: string;
  /** What to write for each image. Default: labels and overlay; of scenes, the labels. */
  readonly save?: readonly OutputName[] | undefined;
  readonly options: PredictOptions;
  /** Pixels by which polygons may move. */
  readonly tolerance: number;
  /** As `createDevice` has them. */
  readonly tune?: DeviceOptions["tune"];
  readonly adapter?: DeviceOptions["adapter"];
  /** Overwrites files that are not results of `predict`. Inputs are never overwritten. Default false. */
  readonly overwrite?: boolean;
  /**
   * A TIFF of more pixels than this is a scene, of which parts are predicted, each of about as many pixels as `region`
   * says. Default: what can be decoded at once.
   */
  readonly scenes?: { readonly mostPixels: number; readonly region: number };
  /** Called with the plan of a scene in place of its prediction, which then is for others. */
  readonly onScene?: (input: Input, plan: ScenePlan) => void;
  /** Which errors of an image end the run as well. */
  readonly isFatal?: (error: TensorError) => boolean;
  /** Called for each image whose results are all written, even if the run fails before its report. */
  readonly onWritten?: (input: Input) => void;
}

/** What became of one input: its facts and the files written, or what was wrong. */
export type ImageReport =
  | (ImageSummary & { readonly files: Readonly<Partial<Record<OutputName, string>>> })
  | {
      readonly input: string;
      readonly error: ToldError;
    };

export interface PredictSummary {
  /** The name of the net, or of all of them where there are several. */
  readonly model: string | readonly string[];
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly out: string;
  readonly images: readonly ImageReport[];
  readonly failed: number;
  /** What should be known of the results. */
  readonly remarks: readonly DataRemark[];
  /** From the first image, without the time to open the device and the net. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** The most bytes allocated on the GPU at once (`device.memory().peakBytes`). */
  readonly peakBytes: number;
}

/** Images whose results are encoded and written at a time, in parallel with the device's work. */
const WRITE_AHEAD = 4;

/**
 * Predicts images and writes the results into a place. Images are decoded, predicted and written in order, a few of
 * each at the same time. An image that fails is left out and reported to `onImage`. Throws if nothing can be done: no
 * net, device or folder, other files in the way, or a full disk.
 */
export async function runPredict(run: PredictRun, onImage: (report: ImageReport) => void): Promise<PredictSummary> {
  const folder = new OutputFolder(await openPlace(run.out, { followsLinks: true }), run.save ?? SAVED);
  try {
    await folder.open();
    const named = await folder.reserve(run.inputs, run);
    const device = await tunedDevice(run);
    try {
      const nets = await loadModels(run.weights, device);
      return await predictAndWrite(run, { device, nets }, { folder, named }, onImage);
    } finally {
      device.destroy();
    }
  } finally {
    await folder.close();
  }
}

/** {@link runPredict} with nets that are loaded, into a folder that is open. */
export async function predictAndWrite(
  run: PredictRun,
  { device, nets: loaded }: { readonly device: Device; readonly nets: Nets },
  { folder, named }: { readonly folder: OutputFolder; readonly named: ReadonlyMap<Input, OutputNames> },
  onImage: (report: ImageReport) => void,
): Promise<PredictSummary> {
  const { classes, palette, model } = loaded[0].metadata;
  const wants = (name: OutputName): boolean => (run.save ?? SAVED).includes(name);
  const options = { ...run.options, overlay: wants("overlay") && (run.options.overlay || true) };
  const { inference, outputs, scale } = preparePrediction("predict", loaded, options, run.weights);
  const start = performance.now();
  const targets = new Map<Input, Target>();
  const predictImages = (inputs: AsyncIterable<Input>) =>
    predictEach(
      inference,
      inputs,
      (input) => input.load(scale),
      (input, image) => {
        const names = named.get(input) as OutputNames;
        const probabilities = folder.probabilities(names, image);
        targets.set(input, { names, probabilities });
        return { ...outputs, probabilities: probabilities ?? false };
      },
    );
  const failure = ({ name }: Input, error: TensorError): ImageReport => {
    if (run.isFatal?.(error)) throw error;
    return { input: name, error: toldOf(error) };
  };
  const scenes: DataRemark[] = [];
  const sceneRun = { inference, options, classes, palette, folder, save: run.save, pixels: run.scenes?.region };
  const predictScene = async (input: Input, opened: Promise<Windows>): Promise<ImageReport> => {
    try {
      if (run.onScene) {
        const { height, width } = await opened;
        run.onScene(input, planOf(sceneRun, input.name, await opened));
        return { input: input.name, height, width, tiles: 0, classes: [], files: {} };
      }
      const written = await writeScene(sceneRun, input.name, named.get(input) as OutputNames, await opened);
      scenes.push(sceneRemark(input.name, written, Object.keys(written.files)));
      run.onWritten?.(input);
      return { ...written.summary, files: written.files };
    } catch (problem) {
      return failure(input, imageError(problem));
    }
  };
  const open = async ({ path, address = path }: Input): Promise<Windows | undefined> =>
    address === undefined ? undefined : openScene(address, scale, run.scenes?.mostPixels);
  const results = inOrder(run.inputs, open, predictImages, predictScene);
  const write = async (result: PredictionResult<Input> | ImageReport): Promise<ImageReport> => {
    if ("input" in result) return result;
    const { item, prediction, error } = result;
    const target = targets.get(item);
    try {
      if (error) return failure(item, error);
      const { names, probabilities } = target as Target;
      const shares = classShares(countLabels(prediction.labels), classes);
      const looks = { classes, palette, plain: outputs.overlay?.plain ?? -1, tolerance: run.tolerance };
      const predicted: Predicted = { input: item.name, prediction, probabilities, shares, ...looks };
      await folder.write(names, predicted);
      run.onWritten?.(item);
      return { ...summaryOf(predicted), files: folder.addresses(names) };
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
  const isCut = images.some((report) => "tiles" in report && report.tiles > inference.passes.length);
  const { software } = device.info;
  return {
    model: loaded.length === 1 ? model : loaded.map(({ metadata }) => metadata.model),
    adapter: { description: adapterName(device.info), software },
    out: run.out,
    images,
    failed,
    remarks: [...scenes, ...loaded.flatMap((each, i) => tileRemarks(run.weights[i] as string, each.model, isCut))],
    seconds,
    imagesPerSecond: (images.length - failed) / seconds,
    peakBytes: device.memory().peakBytes,
  };
}

/** What the results of an image are called. */
interface Target {
  readonly names: OutputNames;
  readonly probabilities: NpyProbabilities | undefined;
}
