import { atMost, opCase } from "../cases.js";
import { planGather, planGatherBackward, planRank } from "./plan.js";
import { argsort, gather } from "./reference.js";

export const cases = [
  opCase({
    name: "gather",
    choices: { outer: 256, size: 256, places: 256, inner: 1 },
    small: (s) => atMost(s, { outer: 4, size: 20, places: 24, inner: 4 }),
    operands({ outer, size, places, inner }) {
      const [x, y] = [{ shape: [outer, size, inner] }, { shape: [outer, places, inner] }];
      return {
        x: { ...x, given: "normal" },
        index: { ...y, dtype: "int32", given: { below: size } },
        y,
        dy: { ...y, given: "normal" },
        dx: x,
      };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planGather({ ...s, shared: false }, false, caps),
        expected: (_, { x, index }) => ({ y: gather(x!, index!, 1) }),
      },
      {
        name: "gradient of x",
        plan: (s, caps) => planGatherBackward({ ...s, shared: false }, caps),
        gradients: { dx: "x" },
      },
    ],
  }),
  opCase({
    name: "argsort",
    choices: { rows: 256, size: 256, descending: false },
    small: (s) => atMost(s, { rows: 4, size: 40 }),
    result: ["index", "none"],
    operands: ({ rows, size }) => ({
      x: { shape: [rows, size], given: "normal" },
      index: { shape: [rows, size], dtype: "int32" },
    }),
    plans: [
      {
        name: "forward",
        plan: ({ rows, size, descending }, caps) =>
          planRank({ outer: rows, size, places: size, inner: 1 }, { descending, integer: false }, caps),
        expected: ({ descending }, { x }) => ({ index: argsort(x!, 1, descending) }),
      },
    ],
  }),
];
