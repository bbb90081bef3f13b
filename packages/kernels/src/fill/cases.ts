import { atMost, opCase } from "../cases.js";
import { build } from "../nd.js";
import { planFill, wordBits } from "./plan.js";

export const cases = [
  opCase({
    name: "full",
    choices: { count: 1048576, value: 1 },
    small: (s) => atMost(s, { count: 1000 }),
    operands: ({ count }) => ({ y: { shape: [count] } }),
    plans: [
      {
        name: "forward; it has no gradient",
        plan: ({ count, value }, caps) => planFill(count, wordBits(value, "float32"), caps),
        expected: ({ count, value }) => ({ y: build([count], () => value) }),
      },
    ],
  }),
];
