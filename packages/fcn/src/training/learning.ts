import { TensorError } from "@fcn/tensor";
import type { HostBatch } from "../data/samples/batches.js";
import { VOID_LABEL } from "../labels/sample.js";
import { countHeads } from "./headLoss.js";
import { labelsOf } from "./heads.js";
import type { ResolvedOptions } from "./options.js";
import type { LearningGroup } from "./parameterGroups.js";

/** After this many first steps without a pixel to learn from, training warns. */
const EARLY = 3;
/**
 * This many equal readings of the loss show that nothing changes. A few may be equal when a net starts at 0 and learns
 * slowly.
 */
const ALIKE = 20;

/** What each head can learn from in a step: its labelled pixels, and their number weighted by class. */
type Seen = Readonly<Record<string, { readonly pixels: number; readonly weight: number }>>;

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
  private readonly heads = new Map<string, { learned: number; pixels: number }>();

  constructor(
    private readonly options: ResolvedOptions,
    private readonly tell: (text: string) => void,
  ) {}

  /** Call with the batches of each step as the heads learn from them. */
  see(batches: readonly HostBatch[]): void {
    this.steps++;
    for (const [head, { pixels, weight }] of Object.entries(this.count(batches))) {
      const own = this.heads.get(head) ?? { learned: 0, pixels: 0 };
      this.heads.set(head, { learned: own.learned + Number(weight > 0), pixels: own.pixels + pixels });
    }
    if (this.steps !== Math.min(EARLY, this.options.steps)) return;
    for (const [head, { learned }] of this.heads) if (learned === 0) this.tell(this.why(head));
  }

  /**
   * The error for a call in which nothing was learned, or undefined if something was. `losses` are all of its readings.
   */
  verdict(losses: readonly number[]): TensorError | undefined {
    const empty = [...this.heads].filter(([, { learned }]) => learned === 0);
    if (this.steps > 0 && empty.length === this.heads.size) return nothingLearned(this.why(empty[0]?.[0] as string));
    for (const [head] of empty) this.tell(this.why(head));
    if (isZero(losses)) return nothingLearned(this.whyZero());
    const isConstant = losses.length >= ALIKE && losses.every((loss) => loss === losses[0]);
    return isConstant ? nothingLearned(`the loss was ${losses[0]} at every reading: no weight changes it`) : undefined;
  }

  private count(batches: readonly HostBatch[]): Seen {
    const counts = Object.entries(countHeads(batches, this.options));
    const seen = counts.map(([head, { labelled }]) => {
      // Without class weights, every labelled pixel counts as one.
      const pixels = labelled > 0 || this.options.classWeights === undefined ? labelled : this.labelled(head, batches);
      return [head, { pixels, weight: labelled }] as const;
    });
    return Object.fromEntries(seen);
  }

  private labelled(head: string, batches: readonly HostBatch[]): number {
    const maps = batches.map((batch) => labelsOf(head, batch, this.options.headLabels));
    return maps.reduce((sum, labels) => sum + labels.reduce((n, label) => n + Number(label !== VOID_LABEL), 0), 0);
  }

  private why(head: string): string {
    const { heads, classWeights = [], lossSampling } = this.options;
    const which = Object.keys(heads).length > 1 ? ` for the head ${head}` : "";
    const first = this.steps === 1 ? "the first step" : `the first ${this.steps} steps`;
    if ((this.heads.get(head)?.pixels ?? 0) > 0) {
      return `no pixel of ${first} counts${which}: all classes in them have a weight of 0 (${classWeights.join(", ")}); give them weights above 0 (classWeights)`;
    }
    const sampling = lossSampling ? ` that lossSampling keeps (probability ${lossSampling.probability})` : "";
    return `no pixel of ${first}${sampling} has a label${which}: all are void (255); where the masks are mostly void take larger windows (--crop, crop) or larger batches (--batch, batchSize), and look at the part of void in fcn data check`;
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
  isZero(losses) ? nothingLearned("the loss was 0 at every step, as where all labels are void") : undefined;

function nothingLearned(why: string): TensorError {
  return new TensorError({
    code: "nothing-learned",
    message: `train: nothing was learned: ${why}`,
    fix: "mend that and train again: these weights have learned nothing",
  });
}
