import { TensorError } from "@fcn/tensor";
import { type PixelScale, rangeText } from "../../data/decode/pixelScale.js";
import { fileName, joinPath, kindOf, withoutExtension } from "../../data/files/files.js";
import type { DataRemark } from "../../data/files/remarks.js";
import { firstLines } from "../../data/files/words.js";
import { splitName } from "../../data/folder/splits.js";
import type { OpenedData } from "../../data/samples/dataset.js";

/** Further lines are counted rather than printed. `--json` has them all. */
const MOST_LINES = 10;

/** What is wrong with the data, as lines for people. */
export function describeRemarks(remarks: readonly DataRemark[]): string[] {
  const lines = remarks.map(({ level, file, text, commandText = text }) => `${level}: ${file}: ${commandText}`);
  return firstLines(lines, MOST_LINES, " (--json and fcn data check list all)");
}

/**
 * The problems and warnings of opening the data that concern one split. Without them, what the split lacks would be
 * missing from the scores without notice.
 */
export async function splitRemarks({ root, splits, remarks }: OpenedData, split: string): Promise<DataRemark[]> {
  const others = Object.keys(splits).filter((name) => name !== split);
  const hasLists = (await kindOf(joinPath(root, "splits"))) === "folder";
  return remarks.filter(({ level, code, file }) => {
    if (level === "note") return false;
    // Lists report their own entries without a partner.
    if (hasLists && (code === "image-without-mask" || code === "mask-without-image")) return false;
    const below = file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
    const [first = "", second = ""] = below.split("/");
    const folder = first === "splits" ? withoutExtension(fileName(below)) : second;
    return !others.includes(splitName(folder));
  });
}

/**
 * A warning for images of more than 8 bits if the net gives no range, because the folder's range may not be the one
 * that it was trained with.
 */
export function rangeRemarks(data: string, { range, depths = [] }: PixelScale, trained: PixelScale): DataRemark[] {
  if (range === undefined || trained.range !== undefined) return [];
  const text = `the images are ${depths.join(" and ")}, but the weights file names no range, so the net was probably trained on 8-bit images: values from ${rangeText(range)} become 0 to 255 (--range)`;
  return [{ level: "warning", code: "range-not-trained", file: data, text }];
}

/** A warning if nothing was counted, because scores of no pixels are NaN. */
export function voidRemarks(data: string, split: string, confusion: readonly (readonly number[])[]): DataRemark[] {
  if (confusion.some((row) => row.some((count) => count > 0))) return [];
  const text = `every pixel of the split ${split} is void: there is nothing to score`;
  return [{ level: "warning", code: "all-void", file: data, text }];
}

/**
 * Checks that labels mean what the net's classes mean, which needs the same order of both. Throws `class-mismatch` if
 * the data has more classes, or the net's in another order. Other names for a label only cause a warning, since many
 * words mean the same.
 */
export function classRemarks(
  data: string,
  weights: string,
  theirs: readonly string[],
  own: readonly string[],
  layout?: string,
): DataRemark[] {
  const lists = `${data} has ${theirs.length} classes (${theirs.join(", ")}), the net in ${weights} has ${own.length} (${own.join(", ")})`;
  if (theirs.length > own.length) {
    const fix = "evaluate on data with the net's classes, in their order";
    throw new TensorError({ code: "class-mismatch", message: `eval: ${lists}`, fix });
  }
  const plain = (names: readonly string[]): string[] => names.map((name) => name.trim().toLowerCase());
  const [found, wanted] = [plain(theirs), plain(own).slice(0, theirs.length)];
  const differing = found.flatMap((name, label) => (name === wanted[label] || isNoName(name, label) ? [] : [label]));
  if (differing.length === 0) return [];
  if ([...found].sort().join("\n") === [...wanted].sort().join("\n")) {
    throw new TensorError({
      code: "class-mismatch",
      message: `eval: ${lists}: the names are the same, but in another order, so scores would be meaningless`,
      fix: sameOrder(own, layout),
    });
  }
  const pairs = differing.map((label) => `label ${label} is "${theirs[label]}", in the net "${own[label]}"`).join("; ");
  return [{ level: "warning", code: "class-names", file: data, text: `${pairs} (${weights})` }];
}

function sameOrder(own: readonly string[], layout: string | undefined): string {
  if (layout === "coco") return `choose the categories in the net's order: --categories ${own.slice(1).join(",")}`;
  return 'write a classes.json, which is read before any other file, with the classes in the net\'s order, as { "name", "value" } with the number that each has in the masks';
}

/** Whether the name is the one given to data that does not name its classes. */
const isNoName = (name: string, label: number): boolean => name === `class ${label}`;
