import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { createRandom, type RandomSource, shuffledIndices } from "../random.js";
import type { CompositeSource } from "./compose.js";

export interface CompositeSplitOptions {
  /**
   * Share of the cut-outs of each class, and of the backgrounds, that is held back; between 0 and 1, both exclusive.
   */
  readonly validation: number;
  readonly seed: number;
}

export interface CompositeSplit {
  readonly train: CompositeSource;
  readonly validation: CompositeSource;
}

/**
 * Splits a source into two that share no cut-out and no background. Each class is split separately, so that both sides
 * contain it. Throws `invalid-argument` if a class or the backgrounds are too few to split.
 */
export function splitComposite(source: CompositeSource, { validation, seed }: CompositeSplitOptions): CompositeSplit {
  if (!(validation > 0 && validation < 1)) {
    throw invalid(`validation is ${validation}, but must be above 0 and below 1`, "pass 0.3, for example");
  }
  const random = createRandom(seed);
  const cutouts = source.classes.slice(1).map((name, i) => {
    const own = source.cutouts.filter((cutout) => cutout.label === i + 1);
    return divide(`cut-outs of ${name}`, own, validation, random);
  });
  const backgrounds = divide("backgrounds", source.backgrounds, validation, random);
  const side = (which: "kept" | "held"): CompositeSource => ({
    classes: source.classes,
    cutouts: cutouts.flatMap((parts) => parts[which]),
    backgrounds: backgrounds[which],
  });
  return { train: side("kept"), validation: side("held") };
}

function divide<T>(
  what: string,
  items: readonly T[],
  part: number,
  random: RandomSource,
): { readonly kept: T[]; readonly held: T[] } {
  if (items.length < 2) throw invalid(`there are ${items.length} ${what}`, "give at least two, one for each side");
  const count = Math.min(items.length - 1, Math.max(1, Math.round(items.length * part)));
  const held = new Set(shuffledIndices(items.length, random).slice(0, count));
  return { kept: items.filter((_, i) => !held.has(i)), held: items.filter((_, i) => held.has(i)) };
}

function invalid(problem: string, fix: string): TensorError {
  return invalidArgument(`splitComposite: ${problem}`, fix);
}
