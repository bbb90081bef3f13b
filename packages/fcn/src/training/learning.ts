import { TensorError } from "@fcn/tensor";
import type { HostBatch } from "../data/samples/batches.js";
import { countHeads } from "./loss/headLoss.js";
import type { LearningGroup } from "./optimizer/parameterGroups.js";
import type { ResolvedOptions } from "./settings/trainOptions.js";

/** After this many first steps without a pixel to learn from, training warns. */
const EARLY = 3;
/**
 * This many equal readings of the loss show that nothing changes. A few may be equal when a net starts at 0 and learns
 * slowly.
 */
const ALIKE = 20;

/** Throws if the learning rate of every parameter is 0. */
export function checkRates(groups: readonly LearningGroup[]): void {
  if (groups.some(({ lr }) => lr !== 0)) return;
  throw new TensorError({
    code: "nothing-learned",
    message: "train: nothing can learn: the learning rate of every parameter that is not frozen is 0",
    fix: "give some layers a factor above 0 (--lr-multiplier, multipliers), or let more of them learn (trainable)",
  });
}

/** Watches whether the steps of one call of `train` have anything to learn from. */
export class LearningWatch {
  private steps = 0;
  /** By head, the steps in which it learned and its labelled pixels, whatever their weight. */
  private readonly heads = new Map<string, { readonly learned: number; readonly labelled: number }>();

  constructor(private readonly options: ResolvedOptions) {}

  /** Call with the batches of each step as the heads learn from them. */
  see(batches: readonly HostBatch[]): void {
    this.steps++;
    for (const [head, { labelled, weight }] of Object.entries(countHeads(batches, this.options))) {
      const before = this.heads.get(head) ?? { learned: 0, labelled: 0 };
      this.heads.set(head, { learned: before.learned + Number(weight > 0), labelled: before.labelled + labelled });
    }
    if (this.steps !== Math.min(EARLY, this.options.steps)) return;
    for (const [head, { learned }] of this.heads) if (learned === 0) this.options.onWarning?.(this.why(head));
  }

  /**
   * The error for a call in which nothing was learned, or undefined if something was. `losses` are all of its readings.
   */
  verdict(losses: readonly number[]): TensorError | undefined {
    const empty = [...this.heads].filter(([, { learned }]) => learned === 0);
    if (this.steps > 0 && empty.length === this.heads.size) return nothingLearned(this.why(empty[0]?.[0] as string));
    for (const [head] of empty) this.options.onWarning?.(this.why(head));
    if (isZero(losses)) return nothingLearned(this.whyZero());
    const isConstant = losses.length >= ALIKE && losses.every((loss) => loss === losses[0]);
    return isConstant ? nothingLearned(`the loss was ${losses[0]} at every reading: no weight changes it`) : undefined;
  }

  private why(head: string): string {
    const { heads, classWeights = [], lossSampling } = this.options;
    const which = Object.keys(heads).length > 1 ? ` for the head ${head}` : "";
    const first = this.steps === 1 ? "the first step" : `the first ${this.steps} steps`;
    if ((this.heads.get(head)?.labelled ?? 0) > 0) {
      return `no pixel of ${first} counts${which}: all classes in them have a weight of 0 (${classWeights.join(", ")}); give them weights above 0 (classWeights)`;
    }
    const sampling = lossSampling ? ` that lossSampling keeps (probability ${lossSampling.probability})` : "";
    return `no pixel of ${first}${sampling} has a label${which}: all are void (255); if the masks are mostly void, use larger windows (--crop, crop) or larger batches (--batch, batchSize), and look at the share of void pixels in fcn data check`;
  }

  private whyZero(): string {
    const { numClasses, loss } = this.options;
    if (numClasses === 1) return "the loss was 0 at every step: with one class there is nothing to tell apart";
    return `the loss was 0 at every step: either the net was perfect from the start, or this loss (${JSON.stringify(loss)}) selects no pixel`;
  }
}

const isZero = (losses: readonly number[]): boolean => losses.length > 0 && losses.every((loss) => loss === 0);

/** The error for a run of several calls of `train` in which nothing was learned. `losses` are all of its readings. */
export const zeroThroughout = (losses: readonly number[]): TensorError | undefined =>
  isZero(losses) ? nothingLearned("the loss was 0 at every step, as it is if all labels are void") : undefined;

function nothingLearned(why: string): TensorError {
  return new TensorError({
    code: "nothing-learned",
    message: `train: nothing was learned: ${why}`,
    fix: "correct that and train again; these weights have learned nothing",
  });
}
