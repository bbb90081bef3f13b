import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import type { LoadedModel, ModelMetadata } from "../models/file/weightsFile.js";
import { deviceOf, headClasses, mainHeadOf, type SegmentationNet } from "../models/segmentationNet.js";
import type { Member } from "./inference.js";
import { checkPreprocessing } from "./inferenceOptions.js";

/** A net, or what `loadModel` returns, which includes everything else that is needed. */
export type NetOrLoaded = SegmentationNet | LoadedModel;

/** One net, or several whose probabilities are averaged. */
export type NetOrNets = NetOrLoaded | readonly NetOrLoaded[];

/** What nets that predict together have in common, after the first of them. */
export interface Ensemble extends Member {
  readonly metadata: ModelMetadata | undefined;
  readonly others: readonly Member[];
}

interface EnsembleOptions {
  /** In place of what the nets say themselves. */
  readonly preprocessing?: Preprocessing | undefined;
  readonly head?: string | undefined;
  /** What the nets are called in errors. Default: net 1, net 2, ... */
  readonly names?: readonly string[] | undefined;
  /** Whether images are read on a scale that is given, whatever the nets say. */
  readonly isScaled?: boolean | undefined;
}

/**
 * The nets to predict with. Throws `invalid-argument` for an empty list, nets on several devices, without
 * preprocessing, or that read images of more than 8 bits by different ranges, and `class-mismatch` for nets with other
 * classes than the first.
 */
export function ensembleOf(op: string, nets: NetOrNets, options: EnsembleOptions): Ensemble {
  const list = Array.isArray(nets) ? (nets as readonly NetOrLoaded[]) : [nets as NetOrLoaded];
  const { preprocessing: given, names = list.map((_, i) => `net ${i + 1}`) } = options;
  const members = list.map((net) => {
    const { model, metadata } = "metadata" in net ? net : { model: net, metadata: undefined };
    return { model, metadata, preprocessing: checkPreprocessing(op, given ?? metadata?.preprocessing) };
  });
  const [first, ...others] = members;
  if (first === undefined) throw invalidArgument(`${op}: the list of nets is empty`, { code: "pass at least one net" });
  for (const [i, other] of others.entries()) {
    const pair = [names[0] as string, names[i + 1] as string] as const;
    const classes = [first, other].map((member) => classesOf(member, options.head)) as [Classes, Classes];
    if (!areSame(...classes)) throw otherClasses(op, pair, classes);
    if (deviceOf(first.model) !== deviceOf(other.model)) {
      throw invalidArgument(`${op}: ${pair.join(" and ")} are on different devices`, {
        code: "load all nets on one device",
      });
    }
    if (!options.isScaled) checkRanges(op, pair, [first.preprocessing, other.preprocessing]);
  }
  return { ...first, others: others.map(({ model, preprocessing }) => ({ model, preprocessing })) };
}

/** The names of the classes, or their number, or undefined if the net tells neither. */
type Classes = readonly string[] | number | undefined;

function classesOf({ model, metadata }: Ensembled, head: string | undefined): Classes {
  const main = mainHeadOf(model);
  const isMain = head === undefined || head === main;
  return isMain && metadata ? metadata.classes : headClasses(model, head ?? main ?? "");
}

type Ensembled = Pick<Ensemble, "model" | "metadata">;

function areSame(a: Classes, b: Classes): boolean {
  if (a === undefined || b === undefined) return true;
  const count = (classes: string[] | number): number => (typeof classes === "number" ? classes : classes.length);
  const isNamed = typeof a === "object" && typeof b === "object";
  return isNamed ? a.join("\n") === b.join("\n") : count(a as string[]) === count(b as string[]);
}

function otherClasses(op: string, [one, other]: readonly [string, string], [a, b]: [Classes, Classes]): TensorError {
  const text = (classes: Classes): string =>
    typeof classes === "object" ? `${classes.length} classes (${classes.join(", ")})` : `${classes} classes`;
  return new TensorError({
    code: "class-mismatch",
    message: `${op}: ${one} has ${text(a)}, and ${other} has ${text(b)}, so that their probabilities cannot be averaged`,
    fix: {
      code: "pass nets with the same classes in the same order",
      command: "give --weights of nets with the same classes in the same order",
    },
  });
}

function checkRanges(op: string, names: readonly string[], both: readonly Preprocessing[]): void {
  const [a, b] = both.map(({ range, depths }) => JSON.stringify([range, depths]));
  if (a === b) return;
  const ranges = both.map(({ range }) => (range ? range.join(" to ") : "none")).join(" and ");
  throw invalidArgument(
    `${op}: ${names.join(" and ")} read images of more than 8 bits by different ranges: ${ranges}`,
    {
      code: "pass nets that were trained with one range, or the option range to predict",
      command: "give --weights of nets that were trained with one range, or --range to fcn predict",
    },
  );
}
