import { invalidArgument } from "@fcn/tensor/internal";
import type { Backbone } from "../backbones/backbone.js";
import type { GraphBuilder } from "../graph/builder.js";
import { coordinateMaps } from "../graph/geometry/coordinates.js";
import { sizesAlong } from "../graph/geometry/sizes.js";
import type { CoordinateMap } from "../graph/plane/coordinateMap.js";
import { div, sub } from "../graph/plane/rational.js";
import { mapsOf, SIDE, type UpsamplingOptions, upsample } from "./upsampling.js";

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
  const head = { builder, backbones, options };
  let last = scoreStage(head, undefined);
  skips.forEach((skip, i) => {
    const name = i === 0 ? "upscore2" : `upscore_${skips[i - 1]?.stage}`;
    last = fuse(head, `${name}${suffix}`, last, skip);
  });
  return upscore(head, data, last);
}

/** A head in the making. */
interface Head {
  readonly builder: GraphBuilder;
  readonly backbones: Backbones;
  readonly options: SkipHeadOptions;
}

export const scoreLayer = (numClasses: number) =>
  ({ kind: "conv", outChannels: numClasses, kernelSize: 1, init: "zeros" }) as const;

/**
 * Appends the scores of a skip, or of the deepest features if there is none: those of the backbone, or their mean if
 * there are several.
 */
function scoreStage({ builder, backbones, options }: Head, skip: Skip | undefined): string {
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
  if (features !== undefined) return features;
  throw invalidArgument(
    `skip head: the backbone has no stage ${skip.stage}; it has ${Object.keys(backbone.stages).join(", ")}`,
    "name one of its stages",
  );
}

/** Appends the last layers of the head: upsampling of the scores `last` to the image `data` and a crop to its size. */
function upscore({ builder, options }: Head, data: string, last: string): string {
  const { suffix = "" } = options;
  const maps = mapsOf(builder);
  const stride = div(maps(data).scale, maps(last).scale).num;
  const finest = options.skips.at(-1)?.stage;
  // The name upscore2 belongs to the first upsampling between scores.
  const afterSkips = stride === 2 ? `upscore_${finest}` : `upscore${stride}`;
  const name = finest === undefined ? "upscore" : afterSkips;
  const up = upsample(builder, `${name}${suffix}`, last, data, options);
  return builder.add(`score${suffix}`, { kind: "crop" }, up, data);
}

function fuse(head: Head, name: string, coarse: string, skip: Skip): string {
  const { builder, backbones, options } = head;
  const { suffix = "", fusion = "sum" } = options;
  const [first] = Object.values(backbones);
  const up = upsample(builder, name, coarse, featuresOf(first as Backbone, skip), options);
  const score = scoreStage(head, skip);
  const join = { kind: fusion === "max" ? "max" : "add" } as const;
  const crop = { kind: "crop" } as const;
  const parts = reachesBeyond(builder, score, up)
    ? [up, builder.add(`${score}c`, crop, score, up)]
    : [builder.add(`${name}c`, crop, up, score), score];
  return builder.add(`fuse_${skip.stage}${suffix}`, join, ...parts);
}

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
