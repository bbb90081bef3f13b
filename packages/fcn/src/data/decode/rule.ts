import { VOID_LABEL } from "../../labels/sample.js";
import type { SkippedPart } from "./parts.js";

/** The meaning of a mask's numbers or colours. Plain data, so that it can be sent to a worker. */
export interface LabelRule {
  /** Whether keys are stored numbers (grey values, palette indices, array elements) or colours (0xRRGGBB). */
  readonly by: "value" | "colour";
  readonly labels: readonly (readonly [key: number, label: number])[];
  /** The label of all keys that are not listed. Without it, such keys are strays, which is an error. */
  readonly other?: number;
  /** The file that lists the classes, for messages; `classes.json` by default. */
  readonly listedIn?: string;
}

/** A mask before its rule is applied: one key per pixel. */
export interface KeyPlane {
  readonly height: number;
  readonly width: number;
  readonly keys: ArrayLike<number>;
}

/** A number or colour of a mask that its rule does not define. */
export interface StrayKey {
  readonly key: number;
  readonly pixels: number;
  /** Position of the first such pixel. */
  readonly x: number;
  readonly y: number;
}

export interface LabelPlane {
  readonly height: number;
  readonly width: number;
  /** One label per pixel; strays are void. */
  readonly labels: Uint8Array;
  /** Keys that the rule does not define, most frequent first. */
  readonly strays: readonly StrayKey[];
  /** Shapes that were left out, if the labels are made from shapes. */
  readonly skipped?: readonly SkippedPart[];
}

/** The rule by which numbers 0 to `numClasses` - 1 are classes and 255 is void. */
export function indexRule(numClasses: number): LabelRule {
  const classes = Array.from({ length: numClasses }, (_, label) => [label, label] as const);
  return { by: "value", labels: [...classes, [VOID_LABEL, VOID_LABEL]] };
}

/** The rule by which the classes are numbered from 1. The numbers `voids` are void. */
export const ruleFromOne = (numClasses: number, voids: readonly number[] = [0]): LabelRule => ({
  by: "value",
  labels: [
    ...voids.map((key) => [key, VOID_LABEL] as const),
    ...Array.from({ length: numClasses }, (_, label) => [label + 1, label] as const),
  ],
});

export function applyRule(plane: KeyPlane, rule: LabelRule): LabelPlane {
  const { height, width, keys } = plane;
  const table = new Map(rule.labels);
  const strays = new Map<number, { pixels: number; first: number }>();
  const labels = new Uint8Array(keys.length);
  let key = Number.NaN;
  let label = VOID_LABEL;
  let isStray = false;
  for (let i = 0; i < keys.length; i++) {
    // Masks consist mostly of runs of one key.
    if (keys[i] !== key) {
      key = keys[i] as number;
      const known = table.get(key) ?? rule.other;
      isStray = known === undefined;
      label = known ?? VOID_LABEL;
    }
    labels[i] = label;
    if (isStray) countStray(strays, key, i);
  }
  const found = [...strays].map(([stray, { pixels, first }]) => {
    return { key: stray, pixels, x: first % width, y: Math.floor(first / width) };
  });
  return { height, width, labels, strays: found.sort((a, b) => b.pixels - a.pixels) };
}

function countStray(strays: Map<number, { pixels: number; first: number }>, key: number, at: number): void {
  const stray = strays.get(key);
  if (stray) stray.pixels++;
  else strays.set(key, { pixels: 1, first: at });
}

/** A key in readable form: `#ff8000` or `7`. */
export function formatKey(by: LabelRule["by"], key: number): string {
  return by === "colour" ? `#${key.toString(16).padStart(6, "0")}` : String(key);
}

/** Packs red, green and blue into one key. */
export function colourKey(red: number, green: number, blue: number): number {
  return (red << 16) | (green << 8) | blue;
}
