import { rules } from "@fcn/tensor/internal";
import { type FlagRule, numbers } from "../../options/rules.js";
import type { PixelRange } from "../decode/pixelScale.js";

const twoNumbers = numbers("two numbers, the lower one first, such as 0,4095", rules.finite);
const isRange = (value: unknown): value is PixelRange =>
  twoNumbers.holds(value) && value.length === 2 && (value[0] as number) < (value[1] as number);

/** The option rule for {@link PixelRange}. */
const pixelRange: FlagRule<PixelRange> = {
  what: twoNumbers.what,
  holds: isRange,
  parse: (text) => [twoNumbers.parse(text)].find(isRange),
};

/** The option of a folder that prediction shares. */
export const RANGE = {
  range: {
    rule: pixelRange,
    flag: "--range <low,high>",
    help: "the values that become 0 and 255 in images of more than 8 bits",
    fallbackText: "the range of --weights, otherwise one that suits the training images",
    decides: "preprocessing",
  },
} as const;
