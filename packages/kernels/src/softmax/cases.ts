import { atMost, opCase } from "../cases.js";
import { planSoftmax, planSoftmaxBackward } from "./plan.js";
import { logSoftmax, softmax } from "./reference.js";

export const cases = [
  opCase({
    name: "softmax",
    choices: { outer: 65536, size: 21, inner: 1, log: false },
    small: (s) => atMost(s, { outer: 20, size: 64, inner: 8 }),
    operands({ outer, size, inner }) {
      const x = { shape: [outer, size, inner] };
      return { x: { ...x, given: "normal" }, y: x, dy: { ...x, given: "normal" }, dx: x };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planSoftmax(s, s.log, caps),
        expected: ({ log }, { x }) => ({ y: log ? logSoftmax(x!, 1) : softmax(x!, 1) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planSoftmaxBackward(s, s.log, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
];
