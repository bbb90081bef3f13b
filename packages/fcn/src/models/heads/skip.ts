import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Backbone } from "../backbones/backbone.js";
import type { GraphBuilder } from "../graph/builder.js";
import { coordinateMaps } from "../graph/geometry/coordinates.js";
import { sizesAlong } from "../graph/geometry/sizes.js";
import type { CoordinateMap } from "../graph/plane/coordinateMap.js";
import { div, sub } from "../graph/plane/rational.js";
import { bilinearWindow, type UpsamplingOptions, upsample } from "./upsampling.js";

/** A finer layer whose scores are added to the upsampled coarser ones. */
export interface Skip {
  /** A stage of the backbone, finest last. */
  readonly stage: string;
  /**
   * Constant by which the features are multiplied first; the at-once net conditions its single stage of training with
   * it.
   */
  readonly scale?: number;
}

export interface SkipHeadOptions extends UpsamplingOptions {
  readonly numClasses: number;
  readonly skips: readonly Skip[];
  /**
   * How the scores of a skip join the coarser ones; their sum unless given. The maximum is what the paper compares
   * with.
   */
  readonly fusion?: "sum" | "max";
  /** Appended to the names of the layers, for one of several heads. */
  readonly suffix?: string;
}

/** Several backbones that see the same pixels, by what is appended to the names of their score layers. */
export type Backbones = Readonly<Record<string, Backbone>>;

/**
 * Appends the head of section 4.2 of the FCN paper: a zero-initialised 1x1 score on the deepest features; for each
 * skip, upsampling by 2 and the sum with a score of the finer layer; then upsampling to the image `data`, cropped to
 * its size. Returns the name of the last node. Layers are called as in the published nets: score_fr, upscore2,
 * score_pool4, upscore_pool4, ..., upscore8.
 */
export function skipHead(builder: GraphBuilder, data: string, backbone: Backbone, options: SkipHeadOptions): string {
  return lateFusionHead(builder, data, { "": backbone }, options);
}

/**
 * Appends the head of {@link skipHead} on backbones of one geometry. At the deepest features, and again at each skip,
 * every backbone has a score layer of its own, and their mean takes the place of the single backbone's scores; all
 * upsampling comes after it, and shared. Score layers end in the name of their backbone: score_frcolor, score_frhha,
 * score_pool4color, ...
 */
export function lateFusionHead(
  builder: GraphBuilder,
  data: string,
  backbones: Backbones,
  options: SkipHeadOptions,
): string {
  const { skips, suffix = "" } = options;
  let last = scoreStage(builder, backbones, undefined, options);
  skips.forEach((skip, i) => {
    const name = i === 0 ? "upscore2" : `upscore_${skips[i - 1]?.stage}`;
    last = fuse(builder, `${name}${suffix}`, last, skip, backbones, options);
  });
  return upscore(builder, data, last, options);
}

/** A 1x1 convolution to class scores that starts at zero. */
export const scoreLayer = (numClasses: number) =>
  ({ kind: "conv", outChannels: numClasses, kernelSize: 1, init: "zeros" }) as const;

/**
 * Appends the scores of a skip, or without one of the deepest features: those of a single backbone, or the mean over
 * all.
 */
function scoreStage(
  builder: GraphBuilder,
  backbones: Backbones,
  skip: Skip | undefined,
  options: SkipHeadOptions,
): string {
  const { numClasses, suffix = "" } = options;
  const entries = Object.entries(backbones);
  const scores = entries.map(([modality, backbone]) => {
    const name = `${skip?.stage ?? "fr"}${modality}${suffix}`;
    const features = featuresOf(backbone, skip);
    const factor = skip?.scale;
    const scaled = factor === undefined ? features : builder.add(`scale_${name}`, { kind: "scale", factor }, features);
    return builder.add(`score_${name}`, scoreLayer(numClasses), scaled);
  });
  if (scores.length === 1) return scores[0] as string;
  const parts = scores.map((score) =>
    builder.add(`${score}_part`, { kind: "scale", factor: 1 / scores.length }, score),
  );
  return builder.add(`score_${skip === undefined ? "" : `${skip.stage}_`}fused${suffix}`, { kind: "add" }, ...parts);
}

function featuresOf(backbone: Backbone, skip: Skip | undefined): string {
  if (skip === undefined) return backbone.top;
  const features = backbone.stages[skip.stage];
  if (features === undefined) throw noStage(skip.stage, backbone);
  return features;
}

/**
 * Appends the last layers of the head after the scores `last`: upsampling to the image `data` and the crop to its size.
 */
function upscore(builder: GraphBuilder, data: string, last: string, options: SkipHeadOptions): string {
  const { suffix = "" } = options;
  const maps = mapsOf(builder);
  const stride = div(maps(data).scale, maps(last).scale).num;
  const finest = options.skips.at(-1)?.stage;
  // upscore2 is the first one between scores.
  const behindSkips = stride === 2 ? `upscore_${finest}` : `upscore${stride}`;
  const name = finest === undefined ? "upscore" : behindSkips;
  const window = bilinearWindow(maps(last), maps(data), options.padding);
  const up = upsample(builder, `${name}${suffix}`, options.numClasses, window, options, last);
  return builder.add(`score${suffix}`, { kind: "crop" }, up, data);
}

function fuse(
  builder: GraphBuilder,
  name: string,
  coarse: string,
  skip: Skip,
  backbones: Backbones,
  options: SkipHeadOptions,
): string {
  const { suffix = "", fusion = "sum" } = options;
  const [first] = Object.values(backbones);
  const features = featuresOf(first as Backbone, skip);
  const window = bilinearWindow(mapsOf(builder)(coarse), mapsOf(builder)(features), options.padding);
  const up = upsample(builder, name, options.numClasses, window, options, coarse);
  const score = scoreStage(builder, backbones, skip, options);
  const cutScore = reachesBeyond(builder, score, up);
  const cropped = cutScore
    ? builder.add(`${score}c`, { kind: "crop" }, score, up)
    : builder.add(`${name}c`, { kind: "crop" }, up, score);
  const join = { kind: fusion === "max" ? "max" : "add" } as const;
  return builder.add(`fuse_${skip.stage}${suffix}`, join, cutScore ? up : cropped, cutScore ? cropped : score);
}

/** An image side that is odd after every halving, where "same" pads evenly and crop offsets are largest. */
const SIDE = 1025;

/**
 * Whether `a` must be cut to `b`: it begins further out, or, where both begin at one place, does not always end before
 * it.
 */
function reachesBeyond(builder: GraphBuilder, a: string, b: string): boolean {
  const graph = builder.build();
  const maps = coordinateMaps(graph, 0, SIDE);
  const ahead = sub((maps.get(a) as CoordinateMap).shift, (maps.get(b) as CoordinateMap).shift).num;
  if (ahead !== 0) return ahead > 0;
  // Sizes repeat with the stride, a cell more each time.
  const period = Math.max(...[...maps.values()].map(({ scale }) => scale.den));
  const sides = Array.from({ length: period }, (_, i) => sizesAlong(graph, 0, SIDE + i));
  return sides.some((sizes) => (sizes.get(a) as number) > (sizes.get(b) as number));
}

/** The places of all nodes so far. Both axes of a backbone are alike. */
export function mapsOf(builder: GraphBuilder): (name: string) => CoordinateMap {
  const maps = coordinateMaps(builder.build(), 0, SIDE);
  return (name) => maps.get(name) as CoordinateMap;
}

function noStage(stage: string, backbone: Backbone): TensorError {
  return invalidArgument(
    `skip head: the backbone has no stage ${stage}; it has ${Object.keys(backbone.stages).join(", ")}`,
    "name one of its stages",
  );
}
