import { checkValue, invalidArgument } from "@fcn/tensor/internal";
import type { Abortable } from "../async/abort.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { number, numbers } from "../options/rules.js";
import type { TileOptions } from "./tiling.js";

/** How images are given to a net, and how its outputs are put together. */
export interface InferenceOptions extends TileOptions, Abortable {
  /**
   * Images that would need more bytes on the device than this are cut into tiles, unless `tile` says how. Default 2
   * GiB. Weights do not count, and nets that are not from `models.create` are given whole images. No more than this is
   * kept idle on the device for what comes next.
   */
  readonly memory?: number | undefined;
  /** The head of a net with several whose output is wanted. Default `out`, or the first. */
  readonly head?: string | undefined;
  /** Factors on the sides of the image, of which the mean is taken. Default [1]. */
  readonly scales?: readonly number[] | undefined;
  /** Also takes the mean with the output on the mirrored image. Default false. */
  readonly mirror?: boolean | undefined;
  /**
   * What the sides of the net's input must be multiples of; zeros fill it up. Default 32 for a module of your own,
   * which must give scores at the size of its input; a net that runs a graph, as those of `models.create` and
   * `models.GraphBuilder` do, knows by itself what it needs.
   */
  readonly stride?: number | undefined;
}

/** One way of showing an image to the net. */
export interface View {
  readonly scale: number;
  readonly mirror: boolean;
}

/** A side of an image in a view, at least one pixel. */
export const sideAt = (side: number, scale: number): number => Math.max(1, Math.round(side * scale));

const scale = number("a number above 0 and at most 16", (value) => value > 0 && value <= 16);

/** Of `scales`. */
export const scalesRule = numbers("numbers above 0 and at most 16, such as 0.75,1,1.25", scale);

/** Every scale, and every scale mirrored. */
export function viewsOf({ scales = [1], mirror = false }: InferenceOptions): View[] {
  checkValue("predict", "scales", scales, scalesRule);
  const turns = mirror ? [false, true] : [false];
  return scales.flatMap((scale) => turns.map((turn) => ({ scale, mirror: turn })));
}

/** Default of `memory`. */
export const MEMORY = 2 * 1024 ** 3;

/** Throws unless preprocessing was given. */
export function checkPreprocessing(op: string, given: Preprocessing | undefined): Preprocessing {
  if (given) return given;
  throw invalidArgument(`${op}: a net was given without preprocessing`, {
    code: "pass what loadModel returns in place of the net, or { preprocessing } as the net was trained with",
  });
}
