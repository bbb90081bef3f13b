import { invalidArgument, rules } from "@fcn/tensor/internal";
import type { Abortable } from "../async/abort.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import type { OptionTable } from "../options/option.js";
import { mapped, number, numbers, oneOf, size, whole } from "../options/rules.js";
import type { TileOptions } from "./tiling.js";

/** How a net is given images, and how its outputs are combined. */
export interface InferenceOptions extends TileOptions, Abortable {
  /**
   * Images that would need more bytes on the device than this are cut into tiles, unless `tile` decides. Default 2 GiB.
   * Weights do not count. A net that is not a `GraphNet` gets whole images. At most this much is kept idle on the
   * device for reuse.
   */
  readonly memory?: number | undefined;
  /** The head to use, for a net with several. Default `out`, or the first. */
  readonly head?: string | undefined;
  /** Factors on the sides of the image; the outputs are averaged. Default [1]. */
  readonly scales?: readonly number[] | undefined;
  /** Also averages with the output for the mirrored image. Default false. */
  readonly mirror?: boolean | undefined;
  /**
   * The sides of the net's input are padded with zeros to multiples of this. Default 32 for a module of your own, whose
   * scores must have the size of its input. A net that runs a graph, such as those of `models.create` and
   * `models.GraphBuilder`, knows what it needs.
   */
  readonly stride?: number | undefined;
  /**
   * How the net's features lie in memory. `float16` halves them; sums, parameters and statistics stay float32. Throws
   * `unsupported` where the device has no `shader-f16`. Default float32.
   */
  readonly precision?: Precision | undefined;
}

const PRECISIONS = ["float32", "float16"] as const;
/** A type of the values between the layers of a net. */
export type Precision = (typeof PRECISIONS)[number];

/** One way of showing an image to the net. */
export interface View {
  readonly scale: number;
  readonly mirror: boolean;
}

/** A side of an image in a view, at least one pixel. */
export const sideAt = (side: number, scale: number): number => Math.max(1, Math.round(side * scale));

const scale = number("a number above 0 and at most 16", (value) => value > 0 && value <= 16);

const MIB = 2 ** 20;
/** Default of `memory`, in bytes. */
export const MEMORY = 2048 * MIB;

/** The flag of commands that run a net forward. */
export const PRECISION = {
  rule: oneOf(PRECISIONS),
  flag: "--precision <type>",
  help: `how features lie in memory: ${PRECISIONS.join(" or ")}, which takes half of it`,
  fallbackText: PRECISIONS[0],
} as const;

/** Every option of inference, in the order of the help. */
export const INFERENCE: OptionTable<InferenceOptions> = {
  tile: {
    rule: rules.extent(1),
    flag: "--tile <HxW>",
    help: "cut images into tiles of this size, in multiples of the net's stride",
    fallbackText: "whole images",
    reader: size,
  },
  overlap: {
    rule: whole(0),
    flag: "--overlap <n>",
    help: "pixels that neighbouring tiles share",
    fallbackText: "a quarter of a tile",
  },
  memory: {
    rule: number("a number of bytes above 0", (bytes) => bytes > 0),
    flag: "--memory <mib>",
    help: "cut images that need more memory than this on the device into tiles",
    reader: mapped(whole(1), (mib) => mib * MIB),
    fallbackText: `${MEMORY / MIB}`,
  },
  scales: {
    rule: numbers("numbers above 0 and at most 16, such as 0.75,1,1.25", scale),
    flag: "--scales <list>",
    help: "average the results for several sizes of the image, such as 0.75,1,1.25",
    fallbackText: "1",
  },
  mirror: { rule: rules.boolean, flag: "--mirror", help: "average with the result for the mirrored image" },
  precision: PRECISION,
  head: {},
  stride: { rule: whole(1) },
  signal: {},
};

/** Whether the options ask for tiles, which only the net can tell to be possible. */
export const isTiled = ({ tile, overlap }: InferenceOptions): boolean => tile !== undefined || overlap !== undefined;

/** Every scale, and every scale mirrored if `mirror` is set. */
export function viewsOf({ scales = [1], mirror = false }: InferenceOptions): View[] {
  const turns = mirror ? [false, true] : [false];
  return scales.flatMap((scale) => turns.map((turn) => ({ scale, mirror: turn })));
}

/** Throws `invalid-argument` unless preprocessing was given. */
export function checkPreprocessing(op: string, given: Preprocessing | undefined): Preprocessing {
  if (given) return given;
  throw invalidArgument(`${op}: a net was given without preprocessing`, {
    code: "pass what loadModel returns in place of the net, or { preprocessing } as the net was trained with",
  });
}
