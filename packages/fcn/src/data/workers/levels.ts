import type { RasterImage } from "../../labels/sample.js";
import { type PixelDepth, short } from "../decode/pixelScale.js";
import type { DataRemark } from "../files/remarks.js";
import type { LoadedImage } from "../samples/item.js";

/** The stored values of an image. */
export interface ImageLevels {
  readonly depth: PixelDepth;
  readonly min: number;
  readonly max: number;
  /** The distinct values on the scale 0 to 255, if there are only a few. */
  readonly few?: readonly number[];
  /** True if all pixels are equal. */
  readonly isConstant: boolean;
}

/** The most distinct values that count as a few. */
const FEW = 8;

/** Undefined if no part of the image is a photograph. */
export function imageLevels({ image, content }: LoadedImage): ImageLevels | undefined {
  if (content === undefined) return undefined;
  const { data } = image;
  const isUsed = new Uint8Array(256);
  for (let i = 0; i < data.length; i++) isUsed[data[i] as number] = 1;
  const used = [...isUsed.keys()].filter((value) => isUsed[value] === 1);
  const few = used.length <= FEW ? { few: used } : {};
  const { depth, min, max } = content.levels ?? { depth: "uint8", min: used[0] ?? 0, max: used.at(-1) ?? 0 };
  return { depth, min, max, ...few, isConstant: isConstant(image) };
}

function isConstant({ data, channels }: RasterImage): boolean {
  for (let i = channels; i < data.length; i++) if (data[i] !== data[i - channels]) return false;
  return true;
}

/** Share of values beyond the range that deserves a remark. */
const MUCH_CLIPPED = 0.05;

/** Reports values that are probably unintended, and parts of the file that were ignored. */
export function levelRemarks({ content }: LoadedImage, levels: ImageLevels, file: string): DataRemark[] {
  const { isCut = false, pages, levels: deep } = content ?? {};
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  const found: DataRemark[] = [];
  const say = (level: DataRemark["level"], code: string, text: string): void => {
    found.push({ level, code, file, text });
  };
  const { depth, min, max } = levels;
  if (Number.isNaN(min)) say("warning", "no-values", "it has no valid values: all are NaN, infinite or no data");
  else if (levels.isConstant && (deep === undefined || min === max)) {
    say(
      "warning",
      "constant-image",
      "all its pixels are equal, so it shows nothing; remove it and its mask unless that is intended",
    );
  } else if (levels.isConstant) {
    const text = `its values, ${depth} from ${short(min)} to ${short(max)}, all become one value in 8 bits, so it shows nothing`;
    say("warning", "constant-image", text);
  }
  if (deep && deep.missing > 0 && !Number.isNaN(min)) {
    const text = `${percent(deep.missing)} of its values are NaN, infinite or no data, and become 0: make these pixels void (255) in its mask`;
    say("warning", "missing-values", text);
  }
  if (deep && deep.clipped > MUCH_CLIPPED) {
    const text = `${percent(deep.clipped)} of its values, ${depth} from ${short(min)} to ${short(max)}, lie beyond the range and are clipped`;
    say("warning", "clipped", text);
  }
  if (isCut) {
    say(
      "warning",
      "left-out-band",
      "its fourth band is not marked as alpha: it is ignored, and the first three are used",
    );
  }
  if (pages !== undefined) say("note", "first-page", `it holds ${pages} images, of which only the first is read`);
  return found;
}
