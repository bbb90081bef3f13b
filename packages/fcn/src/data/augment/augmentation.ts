import { checkOptions, type RulesOf, rules } from "@fcn/tensor/internal";

/**
 * Random changes applied to an image and its labels together; whatever is not named is not done. Geometric changes are
 * applied in one resampling step, in the order scale, rotate, mirror, jitter, crop. Plain data, so it can be sent to a
 * worker or written to a file.
 */
export interface Augmentation {
  /** Range of the size factor, drawn uniformly in the logarithm. */
  readonly scale?: readonly [smallest: number, largest: number];
  /** Largest rotation about the centre in either direction, in degrees. */
  readonly rotate?: number;
  /** Probability of flipping left to right; true means one half. */
  readonly mirror?: boolean | number;
  /** Largest shift in pixels, drawn independently for each direction. The FCN paper tried 32. */
  readonly jitter?: number;
  /** Size of a randomly placed window in pixels; the part that extends beyond a smaller image is void. */
  readonly crop?: readonly [height: number, width: number];
  /**
   * Changes of the first three channels, in the order brightness, contrast, saturation, hue, with the formulas of
   * torchvision's ColorJitter.
   */
  readonly colour?: ColourJitter;
  /**
   * Value of each channel outside the image, unaffected by `colour`; labels there become void. Default: the ImageNet
   * means [124, 116, 104], and 0 for further channels. A loader uses the means of its preprocessing instead, so that
   * the fill becomes 0, or close to it, since bytes hold whole numbers.
   */
  readonly fill?: readonly number[];
}

export interface ColourJitter {
  /** The factor lies between 1 - b and 1 + b. */
  readonly brightness?: number;
  /** The factor of the distance from the mean grey lies between 1 - c and 1 + c. */
  readonly contrast?: number;
  /** The factor of the distance from the pixel's own grey lies between 1 - s and 1 + s. */
  readonly saturation?: number;
  /** The hue turns by between -h and h, where 0.5 is half the circle. */
  readonly hue?: number;
}

export const DEFAULT_FILL = [124, 116, 104] as const;

const { boolean, checkedInUse, listOf, number, probability, rule, upTo, whole } = rules;

const RULES: RulesOf<Augmentation> = {
  scale: rule("[smallest, largest] above 0", (value) => {
    const [smallest, largest] = Array.isArray(value) ? value : [];
    return smallest > 0 && largest >= smallest && largest < Infinity;
  }),
  rotate: upTo(180),
  mirror: rule("true, false or a probability", (value) => boolean.holds(value) || probability.holds(value)),
  jitter: whole(0),
  crop: listOf("[height, width] in pixels", whole(1), 2),
  colour: checkedInUse,
  fill: listOf("one number a channel", number("a number", Number.isFinite)),
};
const COLOUR_RULES: RulesOf<ColourJitter> = {
  brightness: probability,
  contrast: probability,
  saturation: probability,
  hue: upTo(0.5),
};
/** Names that other libraries use for some of the options. */
const SYNONYMS = {
  flip: "mirror",
  hflip: "mirror",
  horizontalflip: "mirror",
  color: "colour",
  colorjitter: "colour",
  colourjitter: "colour",
  rotation: "rotate",
  randomcrop: "crop",
} as const;

/** Throws `invalid-argument` for an option that is unknown or breaks its rule. */
export function checkAugmentation(augmentation: Augmentation): void {
  checkOptions<Augmentation>("augmentation", augmentation, RULES, SYNONYMS);
  checkOptions<ColourJitter>("augmentation.colour", augmentation.colour ?? {}, COLOUR_RULES, {});
}
