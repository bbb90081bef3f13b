import { atMost, opCase } from "../cases.js";
import { planRandom } from "./plan.js";

export const cases = [
  opCase({
    name: "rand, randn, dropout",
    choices: { count: 1048576, mode: ["normal", "uniform", "dropout"], seed: 1 },
    small: (s) => atMost(s, { count: 1000 }),
    operands: ({ count, mode }) => ({
      ...(mode === "dropout" ? { x: { shape: [count], given: "normal" } } : {}),
      y: { shape: [count] },
    }),
    plans: [
      {
        name: "forward; the gradient of dropout is the same plan with dy for x",
        plan: ({ count, mode, seed }, caps) =>
          planRandom(
            { mode, count, seed, ...{ uniform: { a: 0, b: 1 }, normal: { a: 0, b: 1 }, dropout: { a: 0.5 } }[mode] },
            caps,
          ),
      },
    ],
  }),
];
