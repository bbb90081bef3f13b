import { isRgbPng } from "../../decode/pngChunks.js";
import type { LabelRule } from "../../decode/rule.js";
import { readStart } from "../../files/files.js";
import type { DataRemark } from "../../files/remarks.js";
import { counted } from "../../files/words.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";

/** Number of headers read at once. */
const AT_ONCE = 32;

/** For each file, whether its header declares RGB storage; undefined if there is no header. */
export async function areRgb(files: readonly string[]): Promise<(boolean | undefined)[]> {
  const found: (boolean | undefined)[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE).map(async (file) => {
      const start = await readStart(file, 26).catch(() => undefined);
      return start && isRgbPng(start);
    });
    found.push(...(await Promise.all(some)));
  }
  return found;
}

/** Reports masks stored differently from the others, because their contents may have another meaning too. */
export async function mixedKinds(
  root: string,
  files: readonly string[],
  surveys: readonly MaskSurvey[],
  by: LabelRule["by"],
): Promise<DataRemark[]> {
  const about = (code: string, odd: readonly string[], text: string): DataRemark[] => {
    if (odd.length === 0 || odd.length === files.length) return [];
    const shown = odd.length > 1 ? ` (such as ${odd[0]})` : "";
    const told = `${counted(odd.length, "mask")}${shown} ${odd.length === 1 ? "is" : "are"} ${text}`;
    return [{ level: "warning", code, file: odd.length === 1 ? (odd[0] as string) : root, text: told, files: odd }];
  };
  if (by === "value") {
    // A mask with colours is an error when it is loaded.
    const rgb = new Set(surveys.filter(({ isRgb, kind }) => isRgb && kind !== "colour").map(({ file }) => file));
    const seen = new Set(surveys.map(({ file }) => file));
    const unseen = files.filter((file) => !seen.has(file));
    const isRgb = await areRgb(unseen);
    for (const [i, file] of unseen.entries()) if (isRgb[i]) rgb.add(file);
    const odd = files.filter((file) => rgb.has(file));
    const text =
      "stored as RGB among masks that hold one number a pixel: equal channels are read as that number, colours are an error; save all alike, as grey or palette PNG";
    return about("rgb-among-numbers", odd, text);
  }
  const grey = surveys.filter(({ kind, isRgb, keys }) => kind === "grey" && !isRgb && keys.some((key) => key !== 0));
  const hasRgb = surveys.some(({ isRgb }) => isRgb);
  const text =
    "grey among masks that are read by colour: the numbers in it are read as shades of grey; save all alike, in the colours of the classes";
  return hasRgb
    ? about(
        "grey-among-colours",
        grey.map(({ file }) => file),
        text,
      )
    : [];
}
