import { pixelRange } from "../decode/pixelScale.js";

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
