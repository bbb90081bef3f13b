import { TensorError } from "@fcn/tensor";
import { type CoordinateMap, coordinateMaps } from "../../coordinates.js";
import { div, sub } from "../../rational.js";
import type { Backbone } from "../backbones/backbone.js";
import type { GraphBuilder } from "../graph/builder.js";
import { sizesAlong } from "../graph/sizes.js";
import { bilinearWindow, type UpsamplingOptions, upsample } from "./upsampling.js";

/** A finer layer whose scores are added to the upsampled coarser ones. */
export interface Skip {
  /** A stage of the backbone, finest last. */
  readonly stage: string;
  /** Constant by which the features are multiplied first; the at-once net conditions its single stage of training with it. */
  readonly scale?: number;
}

export interface SkipHeadOptions extends UpsamplingOptions {
  readonly numClasses: number;
  readonly skips: readonly Skip[];
  /** How the scores of a skip join the coarser ones; their sum unless given. The maximum is what the paper compares with. */
  readonly fusion?: "sum" | "max";
  /** Put behind the names of the layers, for one of several heads. */
  readonly suffix?: string;
}

/**
 * Appends the head of section 4.2 of the FCN paper: a zero-initialised 1x1 score on the deepest features; for each skip, upsampling by 2 and the
 * sum with a score of the finer layer; then upsampling to the image `data`, cropped to its size. Answers the name of the last node.
 * Layers are called as in the published nets: score_fr, upscore2, score_pool4, upscore_pool4, ..., upscore8.
 */
export function skipHead(builder: GraphBuilder, data: string, backbone: Backbone, options: SkipHeadOptions): string {
  const { suffix = "" } = options;
  let last = builder.add(`score_fr${suffix}`, scoreLayer(options.numClasses), backbone.top);
  options.skips.forEach((skip, i) => {
    const name = i === 0 ? "upscore2" : `upscore_${options.skips[i - 1]?.stage}`;
    last = fuse(builder, `${name}${suffix}`, last, skip, backbone, options);
  });
  return upscore(builder, data, last, options);
}

/** A 1x1 convolution to class scores that starts at zero. */
export const scoreLayer = (numClasses: number) =>
  ({ kind: "conv", outChannels: numClasses, kernelSize: 1, init: "zeros" }) as const;

/** Appends the last layers of the head behind the scores `last`: upsampling to the image `data` and the crop to its size. */
export function upscore(builder: GraphBuilder, data: string, last: string, options: SkipHeadOptions): string {
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
  backbone: Backbone,
  options: SkipHeadOptions,
): string {
  const { stage, scale } = skip;
  const { suffix = "", fusion = "sum" } = options;
  const features = backbone.stages[stage];
  if (features === undefined) throw noStage(stage, backbone);
  const window = bilinearWindow(mapsOf(builder)(coarse), mapsOf(builder)(features), options.padding);
  const up = upsample(builder, name, options.numClasses, window, options, coarse);
  const scaled =
    scale === undefined ? features : builder.add(`scale_${stage}${suffix}`, { kind: "scale", factor: scale }, features);
  const score = builder.add(`score_${stage}${suffix}`, scoreLayer(options.numClasses), scaled);
  const cutScore = reachesBeyond(builder, score, up);
  const cropped = cutScore
    ? builder.add(`${score}c`, { kind: "crop" }, score, up)
    : builder.add(`${name}c`, { kind: "crop" }, up, score);
  const join = { kind: fusion === "max" ? "max" : "add" } as const;
  return builder.add(`fuse_${stage}${suffix}`, join, cutScore ? up : cropped, cutScore ? cropped : score);
}

/** An image side that is odd after every halving, where "same" pads evenly and crop offsets are largest. */
const SIDE = 1025;

/** Whether `a` must be cut to `b`: it begins further out, or, where both begin at one place, does not always end before it. */
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
  return new TensorError({
    code: "invalid-argument",
    message: `skip head: the backbone has no stage ${stage}; it has ${Object.keys(backbone.stages).join(", ")}`,
    fix: "name one of its stages",
  });
}
