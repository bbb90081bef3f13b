import type { Device } from "@fcn/tensor";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { inferChannels } from "../models/graph/geometry/channels.js";
import { type Fit, fitOf } from "../models/graph/geometry/fit.js";
import { footprintOf } from "../models/graph/geometry/footprint.js";
import { coarsestStride } from "../models/graph/geometry/reach.js";
import { GraphNet } from "../models/graph/net.js";
import { lcm } from "../models/graph/plane/rational.js";
import { type Graph, mainHead } from "../models/graph/spec.js";
import { deviceOf, type SegmentationNet } from "../models/segmentationNet.js";
import { checkGiven } from "../options/option.js";
import {
  INFERENCE,
  type InferenceOptions,
  MEMORY,
  type Precision,
  sideAt,
  type View,
  viewsOf,
} from "./inferenceOptions.js";
import { largestTile, type Tiling, tilesOf, wholeImage } from "./tiling.js";

/** A net and how it sees images. */
export interface Inference {
  /** Bytes that one image may take on the device, and that may stay idle there between strips. */
  readonly memory: number;
  readonly model: SegmentationNet;
  readonly device: Device;
  readonly preprocessing: Preprocessing;
  readonly views: readonly View[];
  /** The heads whose outputs are wanted, in this order; undefined is the main one. */
  readonly heads: readonly (string | undefined)[];
  readonly precision: Precision;
  /** How an image of a given size goes through the net so that each head scores all its pixels. */
  readonly fit: (height: number, width: number) => Fit;
  /** Ends the current prediction between two tiles. */
  readonly signal: AbortSignal | undefined;
  /** The tiles of `count` images that are predicted together; a single one if the images are seen whole. */
  readonly tiling: (count: number, height: number, width: number) => Tiling;
}

/**
 * Prepares everything that does not depend on the image. Throws `invalid-argument` for invalid options.
 *
 * @param further heads wanted in addition to `options.head`, from the same passes of the net
 */
export function createInference(
  model: SegmentationNet,
  preprocessing: Preprocessing,
  options: InferenceOptions,
  further: readonly string[] = [],
): Inference {
  checkGiven("predict", INFERENCE, options);
  const views = viewsOf(options);
  const graph = model instanceof GraphNet ? (model.graph as Graph) : undefined;
  const { memory = MEMORY, head, signal, stride: given, precision = "float32" } = options;
  const heads = [head, ...further];
  const own = graph && fitOf(graph, heads, given);
  const fit = own ? (height: number, width: number) => own(height, width, "predict") : filledTo(given ?? 32, heads);
  const stride = graph ? lcm(coarsestStride(graph), given ?? 1) : (given ?? 32);
  const tiling = tilingFor(graph, { stride, fit, views, heads, precision }, options);
  return { model, device: deviceOf(model), preprocessing, views, fit, tiling, memory, heads, precision, signal };
}

/** Zeros below and on the right up to multiples of a number, for a net whose scores have the size of its input. */
const filledTo = (multiple: number, heads: Inference["heads"]): Inference["fit"] => {
  const after = (side: number): readonly [number, number] => [0, Math.ceil(side / multiple) * multiple - side];
  const offsets = heads.map(() => [0, 0] as const);
  return (height, width) => ({ padding: [after(height), after(width)], offsets });
};

/** What the choice of tiles depends on, apart from the options. */
interface Course extends Pick<Inference, "fit" | "views" | "heads" | "precision"> {
  readonly stride: number;
}

function tilingFor(
  graph: Graph | undefined,
  course: Course,
  { tile, overlap, memory = MEMORY }: InferenceOptions,
): Inference["tiling"] {
  const { stride } = course;
  if (tile !== undefined) {
    const sides = typeof tile === "number" ? ([tile, tile] as const) : tile;
    // Throws for impossible tiles before the first image.
    tilesOf(sides, { tile: sides, overlap }, stride);
    return (_, height, width) => tilesOf([height, width], { tile: sides, overlap }, stride);
  }
  if (!graph) return (_, height, width) => wholeImage(height, width);
  const bytesOf = tileBytes(graph, course, overlap ?? 0);
  return (count, height, width) => {
    const bytes = (h: number, w: number): number => count * bytesOf([height, width], [h, w]);
    if (bytes(height, width) <= memory) return wholeImage(height, width);
    const side = largestTile([height, width], stride, memory, bytes);
    return tilesOf([height, width], { tile: [side, side], overlap }, stride);
  };
}

/** Buffers of the pool may exceed the requested size by an eighth. */
const SLACK = 1.125;
/** Copies of a strip of logits, as wide as the image, held at once while tiles or views are joined. */
const STRIPS = 3;

/** Bytes on the device for one tile of an image, including each head's strip of logits that contains it. */
function tileBytes(
  graph: Graph,
  { fit, views, heads, precision }: Course,
  overlap: number,
): (image: readonly [number, number], tile: readonly [number, number]) => number {
  const features = footprintOf(graph);
  const channels = inferChannels(graph);
  const classes = heads.reduce((sum, head) => {
    return sum + (channels.get(graph.outputs[head ?? ""] ?? mainHead(graph)) ?? 0);
  }, 0);
  const scale = Math.max(...views.map((view) => view.scale));
  const inputBytes = (height: number, width: number): number => {
    const [[above, below], [left, right]] = fit(height, width).padding;
    const floats = features(above + height + below, left + width + right);
    // Logits become float32 beside their halves.
    return precision === "float16" ? floats / 2 + classes * height * width * 4 : floats;
  };
  return ([height, width], [h, w]) => {
    const isPut = views.length > 1 || h < height || w < width;
    // For each view, the rows that the next tiles overlap are kept.
    const rows = STRIPS * h + (h < height ? views.length * Math.max(overlap, h / 4) : 0);
    const strips = isPut ? classes * rows * width * 4 : 0;
    return SLACK * (inputBytes(sideAt(h, scale), sideAt(w, scale)) + strips);
  };
}
