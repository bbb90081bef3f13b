import { at, build, type Nd } from "../nd.js";
import { logSoftmax } from "../softmax/reference.js";

/** Labels [N, ...], and how the loss of each counts. */
export interface Loss {
  readonly labels: Nd;
  readonly ignoreIndex: number;
  readonly weight?: Nd;
  readonly reduction: "mean" | "sum" | "none";
}

/** Cross-entropy of logits [N, C, ...]: a number, or with reduction "none" [N, ...]. */
export function crossEntropy(logits: Nd, { labels, ignoreIndex, weight, reduction }: Loss): Nd {
  const logP = logSoftmax(logits, 1);
  const weightOf = (label: number) => (label === ignoreIndex ? 0 : (weight?.data[label] ?? 1));
  const each = build(labels.shape, (i) => {
    const label = at(labels, i);
    return label === ignoreIndex ? 0 : -weightOf(label) * at(logP, [i[0]!, label, ...i.slice(1)]);
  });
  if (reduction === "none") return each;
  const sum = each.data.reduce((a, b) => a + b, 0);
  const divisor = reduction === "mean" ? labels.data.reduce((total, label) => total + weightOf(label), 0) : 1;
  return build([], () => sum / divisor);
}
