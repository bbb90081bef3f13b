import { checkValue, invalidArgument } from "@fcn/tensor/internal";
import type { Abortable } from "../async/abort.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { number, numbers } from "../options/rules.js";
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
}

/** One way of showing an image to the net. */
export interface View {
  readonly scale: number;
  readonly mirror: boolean;
}

/** A side of an image in a view, at least one pixel. */
export const sideAt = (side: number, scale: number): number => Math.max(1, Math.round(side * scale));

const scale = number("a number above 0 and at most 16", (value) => value > 0 && value <= 16);

/** The option rule for `scales`. */
export const scalesRule = numbers("numbers above 0 and at most 16, such as 0.75,1,1.25", scale);

/** Every scale, and every scale mirrored if `mirror` is set. Throws `invalid-argument` for scales out of range. */
export function viewsOf({ scales = [1], mirror = false }: InferenceOptions): View[] {
  checkValue("predict", "scales", scales, scalesRule);
  const turns = mirror ? [false, true] : [false];
  return scales.flatMap((scale) => turns.map((turn) => ({ scale, mirror: turn })));
}

/** Default of `memory`, in bytes. */
export const MEMORY = 2 * 1024 ** 3;

/** Throws `invalid-argument` unless preprocessing was given. */
export function checkPreprocessing(op: string, given: Preprocessing | undefined): Preprocessing {
  if (given) return given;
  throw invalidArgument(`${op}: a net was given without preprocessing`, {
    code: "pass what loadModel returns in place of the net, or { preprocessing } as the net was trained with",
  });
}
