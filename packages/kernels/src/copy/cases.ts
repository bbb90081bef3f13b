import { atMost, opCase } from "../cases.js";
import { denseStrides } from "../dims.js";
import { at, build } from "../nd.js";
import { planCopy } from "./plan.js";

export const cases = [
  opCase({
    name: "permute(x, [2, 0, 1])",
    choices: { A: 256, B: 256, C: 64 },
    small: (s) => atMost(s, { A: 12, B: 12, C: 12 }),
    result: ["dst", "none"],
    operands: ({ A, B, C }) => ({ src: { shape: [A, B, C], given: "normal" }, dst: { shape: [C, A, B] } }),
    plans: [
      {
        name: "forward; its gradient is the copy back",
        plan({ A, B, C }, caps) {
          const [c, a, b] = denseStrides([C, A, B]) as [number, number, number];
          return planCopy({ sizes: [A, B, C], from: denseStrides([A, B, C]), to: [a, b, c] }, caps);
        },
        expected: ({ A, B, C }, { src }) => ({ dst: build([C, A, B], ([c, a, b]) => at(src!, [a!, b!, c!])) }),
      },
    ],
  }),
];
