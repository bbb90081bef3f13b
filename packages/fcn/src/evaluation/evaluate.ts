import { TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { mapAhead, startAhead } from "../async/pipeline.js";
import { type SegmentationDataset, withScale } from "../data/samples/dataset.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { SegmentationMetrics, type SegmentationScores } from "../labels/metrics.js";
import type { SegmentationSample } from "../labels/sample.js";
import { headClasses, type SegmentationNet } from "../models/segmentationNet.js";
import { enqueue } from "../prediction/enqueue.js";
import { createInference } from "../prediction/inference.js";
import { checkPreprocessing, type InferenceOptions } from "../prediction/options.js";
import type { NetOrLoaded } from "../prediction/predict.js";
import { batchesOf, type Prepared, startCounting } from "./counting.js";
import { type BoardScores, type BoundaryOptions, Scoreboard } from "./scoreboard.js";

/** Samples that are loaded one at a time, such as a data set of files. */
export interface SampleSource {
  readonly length: number;
  load(index: number): Promise<SegmentationSample>;
}

/** How a further head is scored. */
export interface HeadScoring {
  /** The extra label map of the samples (`more`) that is compared with. Default: `labels`. */
  readonly labels?: string | undefined;
  /** Default what the net says of the head. */
  readonly numClasses?: number | undefined;
}

export interface EvaluateOptions extends InferenceOptions {
  /** The one that the net was trained with; what `loadModel` returns brings it along. */
  readonly preprocessing?: Preprocessing | undefined;
  /** The extra label map of the samples (`more`) that is compared with, such as that of `head`. Default: `labels`. */
  readonly labels?: string | undefined;
  /** Default the classes of what `loadModel` returns. */
  readonly numClasses?: number | undefined;
  /**
   * Heads that are scored beside `head`, by name: the net runs once for all of them. `boundary` and `sizes` are of
   * `head` alone.
   */
  readonly heads?: Readonly<Record<string, HeadScoring>> | undefined;
  /** Neighbouring samples of one size predicted at a time. Default 1. */
  readonly batchSize?: number | undefined;
  /** Also scores the pixels near a boundary alone, at several distances. */
  readonly boundary?: BoundaryOptions | undefined;
  /**
   * Also scores objects by their size: areas in pixels below which they are small and medium, such as COCO's [1024,
   * 9216].
   */
  readonly sizes?: readonly [small: number, medium: number] | undefined;
  /** Called with the scores of each sample by itself, in order. */
  readonly onImage?: ((index: number, scores: SegmentationScores) => void) | undefined;
  /**
   * Is told of each sample that cannot be loaded, in order, which then does not count. Default: its error is thrown.
   */
  readonly onFailure?: ((index: number, error: Error) => void) | undefined;
  /** Samples that cannot be loaded do not count and are listed in `failures`, as with `onFailure`. Default false. */
  readonly skipBad?: boolean | undefined;
  /** Called after each sample that counts, in order. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Evaluation extends BoardScores {
  /** Scores of the further heads, when any were asked for. */
  readonly heads?: Readonly<Record<string, SegmentationScores>>;
  /** The samples that could not be loaded and do not count; absent where all could. */
  readonly failures?: readonly { readonly index: number; readonly message: string }[];
}

/** Samples that are loaded ahead of the device, and batches on it. */
const LOAD_AHEAD = 4;
const ON_DEVICE = 2;

/**
 * Predicts all samples in evaluation mode, as `predict` would with the same options, and scores them together; void
 * pixels do not count. Labels and their confusion matrix stay on the device, as whole numbers: the scores are exactly
 * those of {@link SegmentationMetrics} on the labels. Throws where a sample cannot be loaded, or none with `onFailure`,
 * and the reason of `signal` once it is aborted.
 */
export async function evaluate(
  net: NetOrLoaded,
  samples: readonly SegmentationSample[] | SampleSource,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { model, metadata } = "metadata" in net ? net : { model: net, metadata: undefined };
  const preprocessing = checkPreprocessing("evaluate", options.preprocessing ?? metadata?.preprocessing);
  const { signal } = options;
  const board = new Scoreboard(classCount(options.numClasses ?? metadata?.classes.length), options);
  const further = Object.entries(options.heads ?? {}).map(([head, { labels, numClasses }]) => {
    return { head, labels, board: new Scoreboard(classCount(numClasses ?? headClasses(model, head), head)) };
  });
  const scored = [{ labels: options.labels, board }, ...further];
  const boards = scored.map((entry) => entry.board);
  const inference = createInference(
    model,
    preprocessing,
    options,
    further.map(({ head }) => head),
  );
  const source = "load" in samples ? scaled(samples, preprocessing) : inMemory(samples);
  const loaded = mapAhead(indices(source.length), LOAD_AHEAD, async (index) => {
    try {
      const sample = await source.load(index);
      const targets = scored.map((entry) => entry.board.targets(withLabels(sample, entry.labels)));
      return { index, image: sample.image, targets };
    } catch (error) {
      return { index, error: error as Error };
    }
  });
  const failures: { index: number; message: string }[] = [];
  const prepared = onlyPrepared(loaded, options, failures);
  const counted = startAhead(batchesOf(prepared, batchSizeOf(options)), ON_DEVICE, (batch) =>
    startCounting(inference, boards, batch),
  );
  let done = 0;
  for await (const images of counted) {
    signal?.throwIfAborted();
    for (const { index, matrices } of images) {
      const [own] = boards.map((each, h) => each.add(matrices[h] as Float64Array)) as [Float64Array];
      if (options.onImage) {
        options.onImage(index, new SegmentationMetrics(board.numClasses).addConfusion(own).compute());
      }
      done++;
      options.onProgress?.(done, source.length);
    }
  }
  const heads = Object.fromEntries(further.map((entry) => [entry.head, entry.board.compute()]));
  return { ...board.compute(), ...(further.length > 0 && { heads }), ...(failures.length > 0 && { failures }) };
}

const inMemory = (samples: readonly SegmentationSample[]): SampleSource => ({
  length: samples.length,
  load: async (index) => samples[index] as SegmentationSample,
});

/** Files of more than 8 bits are seen on the scale that the net was trained with. */
const scaled = (source: SampleSource, preprocessing: Preprocessing): SampleSource =>
  "item" in source && preprocessing.range ? withScale(source as SegmentationDataset, preprocessing) : source;

function* indices(length: number): Generator<number> {
  for (let i = 0; i < length; i++) yield i;
}

/** The sample with an extra label map of it in the place of its labels. */
function withLabels(sample: SegmentationSample, map: string | undefined): SegmentationSample {
  if (map === undefined) return sample;
  const { more = {} } = sample;
  if (Object.hasOwn(more, map)) return { ...sample, labels: more[map]! };
  throw new TensorError({
    code: "missing-labels",
    message: `evaluate: sample "${sample.name}" has no label map "${map}"; of further maps it has ${Object.keys(more).join(", ") || "none"}`,
    fix: "name a map of the samples in labels, or leave it out",
  });
}

function classCount(count: number | undefined, head?: string): number {
  if (count !== undefined) return count;
  if (head !== undefined) {
    throw invalidArgument(`evaluate: the net does not tell the classes of a head ${JSON.stringify(head)}`, {
      code: "name a head of the net in heads, or pass its numClasses there",
    });
  }
  throw invalidArgument("evaluate: a net was given without the number of its classes", {
    code: "pass { numClasses }, or what loadModel returns in place of the net",
  });
}

function batchSizeOf({ batchSize = 1 }: EvaluateOptions): number {
  checkValue("evaluate", "batchSize", batchSize, rules.whole(1));
  return batchSize;
}

/**
 * The samples that were loaded. Throws the error of another unless it may be told, and the last one where there is no
 * sample left.
 */
async function* onlyPrepared(
  loaded: AsyncIterable<Prepared | { readonly index: number; readonly error: Error }>,
  { onFailure, skipBad = false, signal }: EvaluateOptions,
  failures: { index: number; message: string }[],
): AsyncGenerator<Prepared> {
  let [hasSample, last]: [boolean, Error | undefined] = [false, undefined];
  for await (const item of loaded) {
    signal?.throwIfAborted();
    if ("image" in item) {
      hasSample = true;
      yield item;
      continue;
    }
    if (onFailure === undefined && !skipBad) throw item.error;
    onFailure?.(item.index, item.error);
    failures.push({ index: item.index, message: item.error.message });
    last = item.error;
  }
  if (!hasSample && last !== undefined) throw last;
}

/** Scores label maps that exist already, such as a constant baseline, as {@link evaluate} would. */
export function scorePredictions(
  predictions: readonly ArrayLike<number>[],
  samples: readonly SegmentationSample[],
  options: Pick<EvaluateOptions, "boundary" | "sizes"> & { readonly numClasses: number },
): Evaluation {
  const board = new Scoreboard(options.numClasses, options);
  const { numClasses, numTargets } = board;
  for (const [n, sample] of samples.entries()) {
    const targets = board.targets(sample);
    const prediction = predictions[n] as ArrayLike<number>;
    const counts = new Float64Array(numTargets * numClasses);
    for (const [i, target] of targets.entries()) {
      if (target >= 0) counts[target * numClasses + prediction[i]!]!++;
    }
    board.add(counts);
  }
  return board.compute();
}

/** Label maps of samples of one size. Restores the model's training mode. */
export async function predictSamples(
  model: SegmentationNet,
  samples: readonly SegmentationSample[],
  { preprocessing }: { readonly preprocessing: Preprocessing },
): Promise<Uint8Array[]> {
  const inference = createInference(model, preprocessing, {});
  const { done } = await enqueue(
    inference,
    samples.map(({ image }) => image),
  );
  return (await done).map(({ labels }) => labels);
}
