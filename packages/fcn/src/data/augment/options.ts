import { TensorError } from "@fcn/tensor";
import { checkOptions, type OptionNames } from "@fcn/tensor/internal";

/**
 * Random changes of a picture and its labels together. What is not named is not done. Geometry is done in one step, in this order: scale, rotate,
 * mirror, jitter, crop. Plain data: it can be sent to a worker and written to a file.
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
  /** Size of a window at a random place; what lies outside a smaller picture is void. */
  readonly crop?: readonly [height: number, width: number];
  /** Changes of the first three channels, done in the order brightness, contrast, saturation, hue, as torchvision's formulas do them. */
  readonly colour?: ColourJitter;
  /**
   * Value of each channel where there is no picture, whatever `colour` does; labels become void there. Default: the ImageNet means, [124, 116, 104], and
   * 0 for further channels; in a loader the means of its preprocessing, which become 0 (or next to it, since bytes hold whole numbers).
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

const NAMES: OptionNames<Augmentation> = {
  scale: true,
  rotate: true,
  mirror: true,
  jitter: true,
  crop: true,
  colour: true,
  fill: true,
};
const COLOUR_NAMES: OptionNames<ColourJitter> = { brightness: true, contrast: true, saturation: true, hue: true };
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

/** Throws a TensorError for an option that does not hold, or that is not known. */
export function checkAugmentation(augmentation: Augmentation): void {
  checkOptions<Augmentation>("augmentation", augmentation, NAMES, SYNONYMS);
  checkOptions<ColourJitter>("augmentation.colour", augmentation.colour ?? {}, COLOUR_NAMES, {});
  const { scale, rotate = 0, mirror = false, jitter = 0, crop, colour = {}, fill = DEFAULT_FILL } = augmentation;
  const whole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = colour;
  const rules: readonly (readonly [boolean, string])[] = [
    [
      scale === undefined || (scale[0] > 0 && scale[1] >= scale[0] && scale[1] < Infinity),
      `scale is [${scale}], but must be [smallest, largest] above 0`,
    ],
    [rotate >= 0 && rotate <= 180, `rotate is ${rotate}, but must be 0 to 180 degrees`],
    [Number(mirror) >= 0 && Number(mirror) <= 1, `mirror is ${mirror}, but must be true, false or a probability`],
    [whole(jitter, 0), `jitter is ${jitter}, but must be a whole number of pixels`],
    [
      crop === undefined || (crop.length === 2 && crop.every((side) => whole(side, 1))),
      `crop is [${crop}], but must be [height, width] in pixels`,
    ],
    [
      [brightness, contrast, saturation].every((value) => value >= 0 && value <= 1),
      "brightness, contrast and saturation must be 0 to 1",
    ],
    [hue >= 0 && hue <= 0.5, `hue is ${hue}, but must be 0 to 0.5`],
    [fill.every(Number.isFinite), `fill is [${fill}], but must be one number a channel`],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken === undefined) return;
  throw new TensorError({ code: "invalid-argument", message: `augmentation: ${broken[1]}`, fix: "correct the option" });
}
