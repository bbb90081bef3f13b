import { checkValues, rules } from "@fcn/tensor/internal";
import { costsOf } from "../models/graph/cost.js";
import { describeGraph } from "../models/graph/geometry/describe.js";
import { coarsestStride, stridesOf } from "../models/graph/geometry/reach.js";
import { scoreLayers } from "../models/graph/scoreLayers.js";
import { inputChannels } from "../models/graph/spec.js";
import type { ModelOptions } from "../models/modelOptions.js";
import { entryOf, graphOf } from "../models/registry.js";
import { entriesOf } from "../weights/registry/ofModel.js";

/** What `models.info` counts for: the options of the model, and the size of an image. */
export interface InfoOptions extends Partial<ModelOptions> {
  /** Height of the image in pixels. Default 224. */
  readonly height?: number;
  /** Width of the image in pixels. Default 224. */
  readonly width?: number;
}

/** The facts of a model. */
export interface ModelInfo {
  readonly name: string;
  readonly summary: string;
  readonly numClasses: number;
  readonly inChannels: number;
  /** The names of the heads. With `out` alone, `forward` returns a tensor, else a record. */
  readonly heads: readonly string[];
  /** Values that an optimiser can change, as `sum(p.numel() for p in net.parameters())` counts them in PyTorch. */
  readonly parameters: number;
  /** Height and width of the image that `multiplyAdds` is of. */
  readonly size: readonly [height: number, width: number];
  /** Multiply-adds of all convolutions for one image. */
  readonly multiplyAdds: number;
  /** Pixels between neighbouring scores at the finest place where classes are scored: 8 for an FCN-8s. */
  readonly outputStride: number;
  /** Pixels between neighbouring values of the coarsest features. */
  readonly coarsestStride: number;
  /**
   * Pixels of the image that the deepest class score sees before it is upsampled, vertically: 404 for an FCN on VGG16.
   * Infinity, in JSON null, if the net normalises or averages over the whole image.
   */
  readonly receptiveField: number;
  /** Whose names the state dict has: those of the Caffe models, of torchvision, of the d2l book, or our own. */
  readonly keys: "Caffe" | "torchvision" | "d2l" | "own";
  /** Published weights of the whole net, by the names of `listWeights`. */
  readonly weights: readonly string[];
  /** Published classifiers that the backbone can start from, by the names of `listWeights`. */
  readonly backboneWeights: readonly string[];
}

/**
 * The facts of a model, computed from its layers without a device. `numClasses` is 21, as for PASCAL VOC, if it is not
 * given. Throws `invalid-argument` for an unknown name or option, and `invalid-shape` for an image that is too small.
 *
 * @example
 * ```ts
 * import { models } from "@fcn/core";
 * const { parameters, outputStride } = models.info("fcn8s-vgg16");
 * console.log(parameters, outputStride); // 134362751 8
 * ```
 */
export function info(name: string, options: InfoOptions = {}): ModelInfo {
  const { height = 224, width = 224, numClasses = 21, ...rest } = options;
  checkValues("models.info", [
    ["height", height, rules.whole(1)],
    ["width", width, rules.whole(1)],
  ]);
  const { summary, keys } = entryOf(name);
  const { graph } = graphOf(name, { ...rest, numClasses });
  const costs = [...costsOf(graph, height, width).values()];
  const strides = stridesOf(graph);
  const scored = new Set(scoreLayers(graph));
  const fields = describeGraph(graph, height, width).filter((row) => scored.has(row.name));
  const named = (part: "net" | "backbone"): string[] =>
    entriesOf(name).flatMap((entry) => (entry.part === part ? [entry.name] : []));
  return {
    name,
    summary,
    numClasses,
    inChannels: inputChannels(graph),
    heads: Object.keys(graph.outputs),
    parameters: costs.reduce((sum, cost) => sum + cost.parameters, 0),
    size: [height, width],
    multiplyAdds: costs.reduce((sum, cost) => sum + cost.multiplyAdds, 0),
    outputStride: Math.min(...[...scored].map((layer) => strides.get(layer) as number)),
    coarsestStride: coarsestStride(graph),
    receptiveField: Math.max(...fields.map((row) => row.receptiveField)),
    keys,
    weights: named("net"),
    backboneWeights: named("backbone"),
  };
}
