import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Backbone, BackboneBuilder } from "../backbones/backbone.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { mapsOf, type Skip, type SkipHeadOptions, skipHead } from "./skip.js";
import type { UpsamplingOptions } from "./upsampling.js";

export interface FcnOptions extends Partial<UpsamplingOptions>, Pick<SkipHeadOptions, "fusion"> {
  /** Of the graph, for messages. `fcn` unless given. */
  readonly name?: string;
  readonly numClasses: number;
  /** Channels of the image; 3 unless given. */
  readonly inChannels?: number;
  /**
   * Stride of the finest features that are scored: 32 for an FCN-32s, 8 for an FCN-8s. Between the stride of the
   * deepest features and this one, the last stage of the backbone at each power of two becomes a skip.
   */
  readonly outputStride: number;
  /** The skips themselves, finest last, in place of those that follow from `outputStride`. */
  readonly skips?: readonly Skip[];
}

/**
 * The FCN of section 4.2 of the paper on any backbone with named stages: 1x1 scores on the deepest features and on each
 * skip, bilinear upsampling by 2 and sums between them, upsampling to the image and a crop to its size.
 *
 * Kernels and crop offsets follow from the coordinate map of the backbone, exactly: the kernel is 2s for the factor s,
 * or 2s - 1 where the centres would lie half a pixel apart; of upsampled scores and a skip, the one that reaches
 * further out is cut to the other. Where cell i of stride s lies on pixel s i (ResNet, MobileNetV2, InceptionV3 with
 * padding 37), all kernels are 2s - 1 and the last offset is s - 1. Pixels beyond the centre of the last cell, up to s
 * - 1 at the right and the bottom, fade as in every FCN: the upsampling has zeros beside its input. More padding in the
 * first convolution moves the cells outwards.
 *
 * `backbone` appends its nodes after the one it is given. To run the graph: `new models.GraphNet(device, graph, seed)`.
 *
 * Throws where the backbone has no stage of a stride that is needed, and where no whole crop offset exists.
 */
export function buildFcn(backbone: BackboneBuilder, options: FcnOptions): Graph {
  const {
    name = "fcn",
    numClasses,
    inChannels = 3,
    deconv = "fixed",
    dense = false,
    padding = "none",
    fusion = "sum",
  } = options;
  const builder = new GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: inChannels });
  const features = backbone(builder, data);
  const skips = options.skips ?? skipsDownTo(builder, features, options.outputStride, name);
  const score = skipHead(builder, data, features, { numClasses, skips, deconv, dense, padding, fusion });
  return builder.build({ out: score });
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
