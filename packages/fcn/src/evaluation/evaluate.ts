import { hasCode, TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { mapAhead, startAhead } from "../async/pipeline.js";
import { type SegmentationDataset, withScale } from "../data/samples/dataset.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { SegmentationMetrics, type SegmentationScores } from "../labels/metrics.js";
import type { SegmentationSample } from "../labels/sample.js";
import { headClasses, mainHeadOf, type SegmentationNet } from "../models/segmentationNet.js";
import { enqueue } from "../prediction/enqueue.js";
import { ensembleOf, type NetOrNets } from "../prediction/ensemble.js";
import { createInference } from "../prediction/inference.js";
import type { InferenceOptions } from "../prediction/inferenceOptions.js";
import { batchesOf, type Prepared, type ScoreMeasure, startCounting } from "./counting.js";
import { type BoardCounts, type BoardScores, type BoundaryOptions, Scoreboard } from "./scoreboard.js";

/** Samples that are loaded one at a time, such as a data set of files. */
export interface SampleSource {
  readonly length: number;
  load(index: number): Promise<SegmentationSample>;
}

/** How to score a further head. */
export interface HeadScoring {
  /** Name of the extra labels (`more`) to compare with. Default: `labels`. */
  readonly labels?: string | undefined;
  /** Default: what the net says of the head. */
  readonly numClasses?: number | undefined;
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends InferenceOptions {
  /** The preprocessing that the net was trained with. What `loadModel` returns includes it. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Name of the extra labels (`more`) to compare with, such as those of `head`. Default: `labels`. */
  readonly labels?: string | undefined;
  /** Default: the number of classes in what `loadModel` returns. */
  readonly numClasses?: number | undefined;
  /**
   * Heads to score in addition to `head`, by name. The net runs once for all of them. `boundary` and `sizes` apply to
   * `head` only.
   */
  readonly heads?: Readonly<Record<string, HeadScoring>> | undefined;
  /** Neighbouring samples of the same size to predict at a time. Default 1. */
  readonly batchSize?: number | undefined;
  /** Also scores the pixels near a boundary separately, at several distances. */
  readonly boundary?: BoundaryOptions | undefined;
  /**
   * Also scores objects by size: the areas in pixels below which they are small and medium, such as COCO's [1024,
   * 9216].
   */
  readonly sizes?: readonly [small: number, medium: number] | undefined;
  /** Called, in order, with the scores of each sample alone. */
  readonly onImage?: ((index: number, scores: SegmentationScores) => void) | undefined;
  /** Called, in order, for each sample that cannot be loaded. Such samples do not count. Default: throw the error. */
  readonly onFailure?: ((index: number, error: Error) => void) | undefined;
  /**
   * Whether samples that cannot be loaded are left out and listed in `failures`, as with `onFailure`. Default false.
   */
  readonly skipBad?: boolean | undefined;
  /** Called, in order, after each sample that counts. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The result of {@link evaluate}. */
export interface Evaluation extends BoardScores {
  /** Scores of the further heads, if any were asked for. */
  readonly heads?: Readonly<Record<string, SegmentationScores>>;
  /** The samples that could not be loaded, which do not count; absent if there are none. */
  readonly failures?: readonly { readonly index: number; readonly message: string }[];
}

/** Samples loaded ahead of the device, and batches on it. */
const LOAD_AHEAD = 4;
const ON_DEVICE = 2;

/**
 * Predicts all samples in evaluation mode, as `predict` does with the same options, and scores them together. Void
 * pixels do not count. Labels and their confusion matrix stay on the device as integers, so the scores are exactly
 * those of {@link SegmentationMetrics} on the labels. The probabilities of several nets are averaged.
 *
 * Throws if a sample cannot be loaded, or with `onFailure` or `skipBad` if none can, and throws the reason of `signal`
 * once it is aborted. Throws `invalid-argument` if the number of classes is unknown, and `missing-labels` if a sample
 * lacks the extra labels.
 *
 * @example
 * ```ts
 * import { evaluate, models } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 * const device = await createDevice();
 * const net = models.create("fcn32s-small", device, { numClasses: 2 });
 * const image = { data: new Uint8Array(3072), height: 32, width: 32, channels: 3 };
 * const data = [{ name: "black", image, labels: new Uint8Array(1024) }];
 * const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] } as const;
 * console.log((await evaluate(net, data, { preprocessing, numClasses: 2 })).meanIU);
 * device.destroy();
 * ```
 */
export function evaluate(
  nets: NetOrNets,
  samples: readonly SegmentationSample[] | SampleSource,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  return evaluateMeasured(nets, samples, options);
}

/** What else {@link evaluateMeasured} tells. */
interface Telling {
  /** Sees what is scored, of samples that are predicted one at a time by one net. */
  readonly measure?: ScoreMeasure | undefined;
  /** Names of the nets in errors. */
  readonly names?: readonly string[];
  /** Called at the end with what was counted for the first head. */
  readonly onCounts?: (counts: BoardCounts) => void;
}

/** {@link evaluate}, which tells more. */
export async function evaluateMeasured(
  nets: NetOrNets,
  samples: readonly SegmentationSample[] | SampleSource,
  options: EvaluateOptions,
  { measure, names, onCounts }: Telling = {},
): Promise<Evaluation> {
  const { model, metadata, preprocessing, others } = ensembleOf("evaluate", nets, { ...options, names });
  const { signal, batchSize = 1 } = options;
  checkValue("evaluate", "batchSize", batchSize, rules.whole(1));
  const board = new Scoreboard(classCount(options.numClasses ?? metadata?.classes.length), options);
  const further = Object.entries(options.heads ?? {}).map(([head, { labels, numClasses }]) => {
    return { head, labels, board: new Scoreboard(classCount(numClasses ?? headClasses(model, head), head)) };
  });
  const scored = [{ labels: options.labels, board }, ...further];
  const boards = scored.map((entry) => entry.board);
  const measuring = measure && measuringOf(model, measure, [options.head, ...further.map(({ head }) => head)]);
  const wanted = measuring?.heads.slice(1) ?? further.map(({ head }) => head);
  const inference = createInference(model, preprocessing, options, wanted as string[], others);
  const source = "load" in samples ? scaled(samples, preprocessing) : inMemory(samples);
  const loaded = mapAhead(new Array(source.length).keys(), LOAD_AHEAD, async (index) => {
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
  const counted = startAhead(batchesOf(prepared, batchSize), ON_DEVICE, (batch) =>
    startCounting(inference, boards, batch, measuring),
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
  onCounts?.(board.counts);
  const heads = Object.fromEntries(further.map((entry) => [entry.head, entry.board.compute()]));
  return { ...board.compute(), ...(further.length > 0 && { heads }), ...(failures.length > 0 && { failures }) };
}

/** Where to find what a measure wants; a head that is not scored itself is compared with the labels of the first. */
function measuringOf(model: SegmentationNet, measure: ScoreMeasure, scored: readonly (string | undefined)[]) {
  const main = mainHeadOf(model);
  const heads = scored.map((head) => head ?? main);
  const all = [...heads, ...measure.heads.filter((head) => !heads.includes(head))];
  const places = measure.heads.map((head) => ({
    ...{ head, scores: all.indexOf(head) },
    labels: Math.max(0, heads.indexOf(head)),
  }));
  return { measure, places, heads: all };
}

const inMemory = (samples: readonly SegmentationSample[]): SampleSource => ({
  length: samples.length,
  load: async (index) => samples[index] as SegmentationSample,
});

/** Files of more than 8 bits are read on the scale that the net was trained with. */
const scaled = (source: SampleSource, preprocessing: Preprocessing): SampleSource =>
  "item" in source && preprocessing.range ? withScale(source as SegmentationDataset, preprocessing) : source;

/** The sample with its extra labels in place of its labels. */
function withLabels(sample: SegmentationSample, map: string | undefined): SegmentationSample {
  if (map === undefined) return sample;
  const { more = {} } = sample;
  if (Object.hasOwn(more, map)) return { ...sample, labels: more[map]! };
  throw new TensorError({
    code: "missing-labels",
    message: `evaluate: sample "${sample.name}" has no extra labels "${map}"; its extra labels are ${Object.keys(more).join(", ") || "none"}`,
    fix: "name extra labels of the samples in the option labels, or leave the option out",
  });
}

function classCount(count: number | undefined, head?: string): number {
  if (count !== undefined) return count;
  if (head !== undefined) {
    throw invalidArgument(`evaluate: the net does not say how many classes its head ${JSON.stringify(head)} has`, {
      code: "name a head of the net in heads, or pass its numClasses there",
    });
  }
  throw invalidArgument("evaluate: the net's number of classes is unknown", {
    code: "pass { numClasses }, or what loadModel returns in place of the net",
  });
}

/**
 * The samples that were loaded. Throws the error of any other unless failures may be reported, and the last error if no
 * sample is left.
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
    // A place that does not answer says nothing of its images.
    if ((onFailure === undefined && !skipBad) || hasCode(item.error, "no-network")) throw item.error;
    onFailure?.(item.index, item.error);
    failures.push({ index: item.index, message: item.error.message });
    last = item.error;
  }
  if (!hasSample && last !== undefined) throw last;
}

/** Scores existing label maps, such as a constant baseline, in the way of {@link evaluate}. */
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

/** The label maps of samples of one size. Restores the model's training mode afterwards. */
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
