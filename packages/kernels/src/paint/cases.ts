import { atMost, opCase } from "../cases.js";
import { planPaint } from "./plan.js";

export const cases = [
  opCase({
    name: "paint",
    choices: { pixels: 262144, colours: 21 },
    small: (s) => atMost(s, { pixels: 1000 }),
    operands: ({ pixels, colours }) => ({
      labels: { shape: [pixels], dtype: "int32", given: { below: colours } },
      palette: { shape: [colours], dtype: "int32", given: { below: 2 ** 24 } },
      y: { shape: [pixels], dtype: "int32" },
    }),
    plans: [
      {
        name: "forward, without an image under the colours; it has no gradient",
        plan: ({ pixels, colours }, caps) => planPaint({ pixels, colours, image: false, alpha: 1, plain: -1 }, caps),
      },
    ],
  }),
];
