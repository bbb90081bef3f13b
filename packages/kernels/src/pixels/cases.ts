import { atMost, opCase } from "../cases.js";
import { at, build } from "../nd.js";
import { roundUp } from "../plan.js";
import { planCanvas, planPlanes } from "./plan.js";

/** Rows of a canvas begin at multiples of so many words. */
const ROW_WORDS = 64;

export const cases = [
  opCase({
    name: "planes from the pixels of an image",
    choices: { pixels: 262144 },
    small: (s) => atMost(s, { pixels: 1000 }),
    operands: ({ pixels }) => ({
      x: { shape: [pixels], dtype: "int32", given: { below: 2 ** 24 } },
      table: { shape: [3, 256], given: "normal" },
      y: { shape: [3, pixels] },
    }),
    plans: [
      {
        name: "forward; it has no gradient",
        plan: ({ pixels }, caps) => planPlanes(pixels, [0, 1, 2], caps),
        expected: ({ pixels }, { x, table }) => ({
          y: build([3, pixels], ([c, i]) => at(table!, [c!, Math.floor(x!.data[i!]! / 256 ** c!) % 256])),
        }),
      },
    ],
  }),
  opCase({
    name: "rows of a canvas",
    choices: { height: 512, width: 512 },
    small: (s) => atMost(s, { height: 16, width: 16 }),
    operands: ({ height, width }) => ({
      x: { shape: [3, height, width], given: "between" },
      y: { shape: [height, roundUp(width, ROW_WORDS)], dtype: "int32" },
    }),
    plans: [
      {
        name: "forward, from planes of three colours; it has no gradient",
        plan({ height, width }, caps) {
          const part = { height, width, pitch: roundUp(width, ROW_WORDS) };
          return planCanvas({ pixels: height * width, above: 0, part, channels: 3, swapped: false }, caps);
        },
      },
    ],
  }),
];
