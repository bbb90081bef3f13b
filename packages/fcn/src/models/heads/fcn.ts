import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Backbone, BackboneBuilder } from "../backbones/backbone.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { type Skip, type SkipHeadOptions, skipHead } from "./skip.js";
import { mapsOf, type UpsamplingOptions } from "./upsampling.js";

/** Options of {@link buildFcn}. */
export interface FcnOptions extends Partial<UpsamplingOptions>, Pick<SkipHeadOptions, "fusion"> {
  /** Name of the graph, for messages. Default `fcn`. */
  readonly name?: string;
  readonly numClasses: number;
  /** Channels of the image. Default 3. */
  readonly inChannels?: number;
  /**
   * Stride of the finest features that get scores: 32 for an FCN-32s, 8 for an FCN-8s. At each power of two between
   * this and the stride of the deepest features, the last stage of the backbone becomes a skip.
   */
  readonly outputStride: number;
  /** The skips themselves, finest last. Default: those that follow from `outputStride`. */
  readonly skips?: readonly Skip[];
}

/**
 * The FCN of section 4.2 of the paper on any backbone with named stages: 1x1 scores on the deepest features and on each
 * skip, joined by bilinear upsampling by 2 and sums, then upsampling to the image and a crop to its size.
 *
 * Kernels and crop offsets follow exactly from the coordinate map of the backbone. The kernel for a factor s is 2s, or
 * 2s - 1 if the centres would otherwise lie half a pixel apart. Of upsampled scores and a skip, the one that reaches
 * further out is cut to the other. If cell i of stride s lies on pixel s i (ResNet, MobileNetV2, InceptionV3 with
 * padding 37), all kernels are 2s - 1 and the last offset is s - 1. Pixels beyond the centre of the last cell, up to s
 * - 1 on the right and at the bottom, fade as in every FCN, because the upsampling sees zeros there. More padding in
 * the first convolution moves the cells outwards.
 *
 * `backbone` appends its nodes after the node that it is given. To run the graph: `new models.GraphNet(device, graph,
 * seed)`. Throws `invalid-argument` if the backbone lacks a stage of a needed stride, or if no whole crop offset
 * exists.
 */
export function buildFcn(backbone: BackboneBuilder, options: FcnOptions): Graph {
  const { name = "fcn", inChannels = 3 } = options;
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: inChannels });
  const features = backbone(builder, data);
  const skips = options.skips ?? skipsDownTo(builder, features, options.outputStride, name);
  const head = { deconv: "fixed", dense: false, padding: "none", ...options, skips } as const;
  return builder.build({ out: skipHead(builder, data, features, head) });
}

function skipsDownTo(builder: GraphBuilder, features: Backbone, outputStride: number, name: string): Skip[] {
  const maps = mapsOf(builder);
  const strideOf = (node: string): number => maps(node).scale.den;
  const strides = new Map(Object.entries(features.stages).map(([stage, node]) => [strideOf(node), stage]));
  const top = strideOf(features.top);
  const skips: Skip[] = [];
  for (let stride = top / 2; stride >= outputStride; stride /= 2) {
    const stage = strides.get(stride);
    if (stage === undefined) throw noStride(name, stride, features, strideOf);
    skips.push({ stage });
  }
  if (top / 2 ** skips.length === outputStride) return skips;
  throw noStride(name, outputStride, features, strideOf);
}

function noStride(name: string, stride: number, features: Backbone, strideOf: (node: string) => number): TensorError {
  const stages = Object.entries(features.stages).map(([stage, node]) => `${stage} (${strideOf(node)})`);
  return invalidArgument(
    `graph ${name}: the backbone has no features of stride ${stride} to score; it has ${stages.join(", ")} and the top (${strideOf(features.top)})`,
    "choose an outputStride that is the top's or, in halves of it, that of a stage",
  );
}
