import { checkOptions, type RulesOf, rules } from "@fcn/tensor/internal";

/**
 * Random changes of an image and its labels together. What is not named is not done. Geometry is done in one step, in
 * this order: scale, rotate, mirror, jitter, crop. Plain data: it can be sent to a worker and written to a file.
 */
export interface Augmentation {
  /** Factor of the size, drawn evenly between the two in its logarithm. */
  readonly scale?: readonly [smallest: number, largest: number];
  /** Largest angle either way in degrees, about the middle. */
  readonly rotate?: number;
  /** Flip left to right: probability, or true for one half. */
  readonly mirror?: boolean | number;
  /** Largest shift in whole pixels, in each direction by itself. The paper tried 32. */
  readonly jitter?: number;
  /** Size of a window at a random place; what lies outside a smaller image is void. */
  readonly crop?: readonly [height: number, width: number];
  /**
   * Changes of the first three channels, done in the order brightness, contrast, saturation, hue, as torchvision's
   * formulas do them.
   */
  readonly colour?: ColourJitter;
  /**
   * Value of each channel where there is no image, whatever `colour` does; labels become void there. Default: the
   * ImageNet means, [124, 116, 104], and 0 for further channels; in a loader the means of its preprocessing, which
   * become 0 (or next to it, since bytes hold whole numbers).
   */
  readonly fill?: readonly number[];
}

export interface ColourJitter {
  /** Factor between 1 - b and 1 + b. */
  readonly brightness?: number;
  /** Factor of the distance to the mean grey, between 1 - c and 1 + c. */
  readonly contrast?: number;
  /** Factor of the distance to the pixel's own grey, between 1 - s and 1 + s. */
  readonly saturation?: number;
  /** Turn of the hue, between -h and h; 0.5 is half the circle. */
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
/** What other libraries call some of them. */
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

/** Throws `invalid-argument` for an option that breaks its rule, or that is not known. */
export function checkAugmentation(augmentation: Augmentation): void {
  checkOptions<Augmentation>("augmentation", augmentation, RULES, SYNONYMS);
  checkOptions<ColourJitter>("augmentation.colour", augmentation.colour ?? {}, COLOUR_RULES, {});
}
