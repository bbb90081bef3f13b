import { atMost, opCase } from "../cases.js";
import { planAdamW, planSgd } from "./plan.js";

const SGD = { lr: 0.1, momentum: 0.9, dampening: 0, weightDecay: 0.01, nesterov: false };
const ADAMW = { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };

const choices = { count: 1048576 } as const;

export const cases = [
  opCase({
    name: "SGD with momentum",
    choices,
    small: (s) => atMost(s, { count: 1000 }),
    operands: ({ count }) => ({
      g: { shape: [count], given: "normal" },
      w: { shape: [count], given: "normal" },
      m: { shape: [count], given: "normal" },
    }),
    plans: [
      {
        name: "a step",
        plan: ({ count }, caps) => planSgd([{ count, isFirst: false }], SGD, caps),
        expected(_, { g, w, m }) {
          const slope = g!.data.map((value, i) => value + SGD.weightDecay * w!.data[i]!);
          const moved = m!.data.map((value, i) => SGD.momentum * value + slope[i]!);
          return {
            m: { shape: m!.shape, data: moved },
            w: { shape: w!.shape, data: w!.data.map((value, i) => value - SGD.lr * moved[i]!) },
          };
        },
      },
    ],
  }),
  opCase({
    name: "AdamW",
    choices: { ...choices, step: 10 },
    small: (s) => atMost(s, { count: 1000 }),
    operands: ({ count }) => ({
      g: { shape: [count], given: "normal" },
      w: { shape: [count], given: "normal" },
      m: { shape: [count], given: "normal" },
      v: { shape: [count], given: "between" },
    }),
    plans: [
      {
        name: "a step",
        plan: ({ count, step }, caps) => planAdamW([{ count, isFirst: false, step }], ADAMW, caps),
        expected({ step }, { g, w, m, v }) {
          const { lr, beta1, beta2, eps, weightDecay } = ADAMW;
          const first = m!.data.map((value, i) => beta1 * value + (1 - beta1) * g!.data[i]!);
          const second = v!.data.map((value, i) => beta2 * value + (1 - beta2) * g!.data[i]! ** 2);
          const data = w!.data.map((value, i) => {
            const root = Math.sqrt(second[i]! / (1 - beta2 ** step)) + eps;
            return value * (1 - lr * weightDecay) - (lr * first[i]!) / (1 - beta1 ** step) / root;
          });
          const { shape } = w!;
          return { w: { shape, data }, m: { shape, data: first }, v: { shape, data: second } };
        },
      },
    ],
  }),
];
