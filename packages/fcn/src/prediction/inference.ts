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
import { largestTile, type Tile, type Tiling, tileOf, tilesOf, wholeImage } from "./tiling.js";

/** A net, and how images become the numbers that it takes. */
export interface Member {
  readonly model: SegmentationNet;
  readonly preprocessing: Preprocessing;
}

/** One way of showing an image to one of the nets. */
export interface Pass extends Member, View {
  /** How an image of a given size goes through the net so that each head scores all its pixels. */
  readonly fit: (height: number, width: number) => Fit;
}

/** The nets that predict together, and how they see images. */
export interface Inference {
  /** Bytes that one image may take on the device, and that may stay idle there between strips. */
  readonly memory: number;
  readonly models: readonly SegmentationNet[];
  readonly device: Device;
  /** Each view of each net; their probabilities are averaged. */
  readonly passes: readonly Pass[];
  /** The heads whose outputs are wanted, in this order; undefined is the main one. */
  readonly heads: readonly (string | undefined)[];
  readonly precision: Precision;
  /** Ends the current prediction between two tiles. */
  readonly signal: AbortSignal | undefined;
  /** Tiles begin at multiples of this. */
  readonly stride: number;
  /** The tile of `count` images that are predicted together; undefined if the images are seen whole. */
  readonly tileFor: (count: number, height: number, width: number) => Tile | undefined;
  /** The tiles of `count` images that are predicted together; a single one if the images are seen whole. */
  readonly tiling: (count: number, height: number, width: number) => Tiling;
}

/**
 * Prepares everything that does not depend on the image. Throws `invalid-argument` for invalid options.
 *
 * @param further heads wanted in addition to `options.head`, from the same passes of the net
 * @param others nets whose probabilities are averaged with those of the first
 */
export function createInference(
  model: SegmentationNet,
  preprocessing: Preprocessing,
  options: InferenceOptions,
  further: readonly string[] = [],
  others: readonly Member[] = [],
): Inference {
  checkGiven("predict", INFERENCE, options);
  const { memory = MEMORY, head, signal, stride: given, precision = "float32" } = options;
  const heads = [head, ...further];
  const views = viewsOf(options);
  const members = [{ model, preprocessing }, ...others].map((member) => {
    const graph = member.model instanceof GraphNet ? (member.model.graph as Graph) : undefined;
    const own = graph && fitOf(graph, heads, given);
    const fit = own ? (height: number, width: number) => own(height, width, "predict") : filledTo(given ?? 32, heads);
    return { ...member, graph, fit };
  });
  const passes = members.flatMap(({ graph: _, ...member }) => views.map((view) => ({ ...view, ...member })));
  const strides = members.map(({ graph }) => (graph ? lcm(coarsestStride(graph), given ?? 1) : (given ?? 32)));
  const stride = strides.reduce(lcm);
  const tileFor = tileChoice(members, { views, heads, precision, passes: passes.length }, stride, options);
  const tiling: Inference["tiling"] = (count, height, width) => {
    const tile = tileFor(count, height, width);
    return tile ? tilesOf([height, width], tile, stride) : wholeImage(height, width);
  };
  const device = deviceOf(model);
  const nets = { models: members.map((member) => member.model), device, passes, heads, precision };
  return { ...nets, stride, tileFor, tiling, memory, signal };
}

/** Zeros below and on the right up to multiples of a number, for a net whose scores have the size of its input. */
const filledTo = (multiple: number, heads: Inference["heads"]): Pass["fit"] => {
  const after = (side: number): readonly [number, number] => [0, Math.ceil(side / multiple) * multiple - side];
  const offsets = heads.map(() => [0, 0] as const);
  return (height, width) => ({ padding: [after(height), after(width)], offsets });
};

/** What the choice of tiles depends on, apart from the options. */
interface Course extends Pick<Inference, "heads" | "precision"> {
  readonly views: readonly View[];
  /** Number of views of all nets. */
  readonly passes: number;
}

interface Fitted extends Pick<Pass, "fit"> {
  /** Undefined for a module of your own. */
  readonly graph: Graph | undefined;
}

function tileChoice(
  members: readonly Fitted[],
  course: Course,
  stride: number,
  { tile, overlap, memory = MEMORY }: InferenceOptions,
): Inference["tileFor"] {
  if (tile !== undefined) {
    // Throws for impossible tiles before the first image.
    const chosen = tileOf(typeof tile === "number" ? [tile, tile] : tile, overlap, stride);
    return () => chosen;
  }
  const costs = members.flatMap(({ graph, fit }) => (graph ? [tileBytes(graph, fit, course, overlap ?? 0)] : []));
  if (costs.length < members.length) return () => undefined;
  return (count, height, width) => {
    const bytes = (h: number, w: number): number =>
      count * Math.max(...costs.map((bytesOf) => bytesOf([height, width], [h, w])));
    if (bytes(height, width) <= memory) return undefined;
    const side = largestTile([height, width], stride, memory, bytes);
    return tileOf([side, side], overlap, stride);
  };
}

/** Buffers of the pool may exceed the requested size by an eighth. */
const SLACK = 1.125;
/** Copies of a strip of logits, as wide as the image, held at once while tiles or views are joined. */
const STRIPS = 3;

/** Bytes on the device for one tile of an image, including each head's strip of logits that contains it. */
function tileBytes(
  graph: Graph,
  fit: Pass["fit"],
  { views, passes, heads, precision }: Course,
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
    const isPut = passes > 1 || h < height || w < width;
    // For each view of each net, the rows that the next tiles overlap are kept.
    const rows = STRIPS * h + (h < height ? passes * Math.max(overlap, h / 4) : 0);
    const strips = isPut ? classes * rows * width * 4 : 0;
    return SLACK * (inputBytes(sideAt(h, scale), sideAt(w, scale)) + strips);
  };
}
