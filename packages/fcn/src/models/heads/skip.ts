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
  /** A stage of the backbone. */
  readonly stage: string;
  /** Factor applied to the features first; it conditions the single training stage of an at-once net. */
  readonly scale?: number;
}

/** Options of {@link skipHead} and {@link lateFusionHead}. */
export interface SkipHeadOptions extends UpsamplingOptions {
  readonly numClasses: number;
  readonly skips: readonly Skip[];
  /** How a skip's scores join the coarser ones. Default `sum`; the paper compares it with the maximum. */
  readonly fusion?: "sum" | "max";
  /** Appended to the names of the layers, for a net with several heads. */
  readonly suffix?: string;
}

/** Several backbones that see the same pixels, by the suffix that they give the names of their score layers. */
export type Backbones = Readonly<Record<string, Backbone>>;

/**
 * Appends the head of section 4.2 of the FCN paper: a zero-initialised 1x1 score on the deepest features; for each
 * skip, upsampling by 2 and the sum with a score of the finer layer; then upsampling to the image `data` and a crop to
 * its size. Returns the name of the last node. Layers have their published names: score_fr, upscore2, score_pool4,
 * upscore_pool4, ..., upscore8.
 */
export function skipHead(builder: GraphBuilder, data: string, backbone: Backbone, options: SkipHeadOptions): string {
  return lateFusionHead(builder, data, { "": backbone }, options);
}

/**
 * Appends the head of {@link skipHead} on several backbones of the same geometry. At the deepest features, and again at
 * each skip, every backbone has its own score layer, and the mean of their scores replaces those of a single backbone.
 * All upsampling comes after the mean and is shared. Score layers end in the name of their backbone: score_frcolor,
 * score_frhha, score_pool4color, ...
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

export const scoreLayer = (numClasses: number) =>
  ({ kind: "conv", outChannels: numClasses, kernelSize: 1, init: "zeros" }) as const;

/**
 * Appends the scores of a skip, or of the deepest features if there is none: those of the backbone, or their mean if
 * there are several.
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

/** Appends the last layers of the head: upsampling of the scores `last` to the image `data` and a crop to its size. */
function upscore(builder: GraphBuilder, data: string, last: string, options: SkipHeadOptions): string {
  const { suffix = "" } = options;
  const maps = mapsOf(builder);
  const stride = div(maps(data).scale, maps(last).scale).num;
  const finest = options.skips.at(-1)?.stage;
  // The name upscore2 belongs to the first upsampling between scores.
  const afterSkips = stride === 2 ? `upscore_${finest}` : `upscore${stride}`;
  const name = finest === undefined ? "upscore" : afterSkips;
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

/** An image side that stays odd through every halving, so that "same" pads evenly and crop offsets are largest. */
const SIDE = 1025;

/** Whether `a` must be cut to `b`: it begins further out, or both begin together and `a` does not always end first. */
function reachesBeyond(builder: GraphBuilder, a: string, b: string): boolean {
  const graph = builder.build();
  const maps = coordinateMaps(graph, 0, SIDE);
  const ahead = sub((maps.get(a) as CoordinateMap).shift, (maps.get(b) as CoordinateMap).shift).num;
  if (ahead !== 0) return ahead > 0;
  // Sizes repeat with the stride, each time one cell larger.
  const period = Math.max(...[...maps.values()].map(({ scale }) => scale.den));
  const sides = Array.from({ length: period }, (_, i) => sizesAlong(graph, 0, SIDE + i));
  return sides.some((sizes) => (sizes.get(a) as number) > (sizes.get(b) as number));
}

/** The coordinate maps of all nodes so far. Both axes of a backbone are alike, so one is enough. */
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
