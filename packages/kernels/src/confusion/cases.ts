import { atMost, opCase } from "../cases.js";
import { planConfusion } from "./plan.js";

export const cases = [
  opCase({
    name: "confusionMatrix",
    choices: { pixels: 262144, classes: 21 },
    small: (s) => atMost(s, { pixels: 5000 }),
    operands({ pixels, classes }) {
      const labels = { shape: [pixels], dtype: "int32", given: { below: classes } } as const;
      return { truth: labels, prediction: labels, counts: { shape: [classes, classes], dtype: "int32" } };
    },
    plans: [
      {
        name: "forward; it has no gradient",
        plan: ({ pixels, classes }, caps) => planConfusion({ pixels, rows: classes, columns: classes }, caps),
        expected({ classes }, { truth, prediction }) {
          const data = new Float64Array(classes ** 2);
          for (const [i, label] of truth!.data.entries()) data[label * classes + prediction!.data[i]!]!++;
          return { counts: { shape: [classes, classes], data } };
        },
      },
    ],
  }),
];
