import { atMost, opCase } from "../cases.js";
import { planCumsum } from "./plan.js";
import { cumsum } from "./reference.js";

export const cases = [
  opCase({
    name: "cumsum",
    choices: { rows: 1024, size: 1024 },
    small: (s) => atMost(s, { rows: 4, size: 300 }),
    operands({ rows, size }) {
      const x = { shape: [rows, size] };
      return { x: { ...x, given: "normal" }, y: x, dy: { ...x, given: "normal" }, dx: x };
    },
    plans: [
      {
        name: "forward",
        plan: ({ rows, size }, caps) => planCumsum(rows, size, false, caps),
        expected: (_, { x }) => ({ y: cumsum(x!, 1) }),
      },
      {
        name: "gradient of x",
        plan: ({ rows, size }, caps) => planCumsum(rows, size, true, caps),
        operands: { x: "dy", y: "dx" },
        gradients: { dx: "x" },
      },
    ],
  }),
];
