import { atMost, opCase } from "../cases.js";
import { type CrossEntropyCase, planCrossEntropy, planCrossEntropyBackward } from "./plan.js";
import { crossEntropy } from "./reference.js";

interface Settings {
  readonly pixels: number;
  readonly classes: number;
  readonly reduction: CrossEntropyCase["reduction"];
  readonly weighted: boolean;
}

const lossOf = ({ pixels, classes, reduction, weighted }: Settings): CrossEntropyCase => ({
  ...{ pixels, classes, reduction, weighted, ignoreIndex: 255 },
});

export const cases = [
  opCase({
    name: "crossEntropy",
    choices: { pixels: 65536, classes: 21, reduction: ["mean", "sum", "none"], weighted: false },
    small: (s) => atMost(s, { pixels: 500 }),
    operands({ pixels, classes, reduction, weighted }) {
      const y = { shape: reduction === "none" ? [pixels] : [1] };
      return {
        logits: { shape: [pixels, classes], given: "normal" },
        target: { shape: [pixels], dtype: "int32", given: { below: classes } },
        ...(weighted ? { weight: { shape: [classes], given: "between" } } : {}),
        lse: { shape: [pixels] },
        divisor: { shape: [1] },
        y,
        dy: { ...y, given: "normal" },
        dx: { shape: [pixels, classes] },
      };
    },
    plans: [
      {
        name: "forward",
        plan: (s, caps) => planCrossEntropy(lossOf(s), caps),
        expected(s, { logits, target, weight }) {
          const loss = { ...lossOf(s), labels: target!, ...(weight ? { weight } : {}) };
          return { y: crossEntropy(logits!, loss) };
        },
      },
      {
        name: "gradient of the logits",
        plan: (s, caps) => planCrossEntropyBackward(lossOf(s), caps),
        gradients: { dx: "logits" },
      },
    ],
  }),
];
