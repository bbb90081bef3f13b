import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { loadSharp } from "../../encoding/sharp.js";
import { decodeDeep, isDeepImage } from "../decode/image.js";
import { levelsOf, rankedValues, withoutTails } from "../decode/pixelScale.js";
import { isBucket } from "../files/buckets.js";
import { fileError, reasonOf } from "../files/errors.js";
import { joinPath, kindOf, listFiles, readBytes } from "../files/files.js";
import type { CompositeSource, Cutout } from "./compose.js";
import type { RgbaImage } from "./raster.js";
import { trimmed, whyNoCutout } from "./trim.js";

export interface CompositeFolders {
  /** For each class, the folders of its cut-outs (PNG with alpha), searched recursively. */
  readonly cutouts: Readonly<Record<string, readonly string[]>>;
  /** Photographs (JPEG or PNG), as files or as folders; folders are not searched recursively. */
  readonly backgrounds: readonly string[];
  /** Excludes the files for whose path it returns true. */
  readonly skip?: (path: string) => boolean;
  /**
   * Longest side in pixels, to which larger images are reduced on reading. Default 512 for cut-outs, 1024 for
   * backgrounds.
   */
  readonly longestSide?: { readonly cutout?: number; readonly background?: number };
}

export interface LoadedComposite extends CompositeSource {
  /** Images in the folders that cannot serve as cut-outs, and why. */
  readonly leftOut: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * Reads the cut-outs and backgrounds of a composite set, from folders here or in buckets (Node). Cut-outs are trimmed
 * to what is visible; images without a transparent part and mostly translucent ones are left out and listed. Files are
 * sorted by name, so that a seed means the same on every machine. Throws `missing-data` for a folder that does not
 * exist or holds no image, `unreadable-file` for a damaged image, and `range-needed` for a 16-bit image that uses only
 * the lower part of its scale.
 */
export async function loadComposite(folders: CompositeFolders): Promise<LoadedComposite> {
  const { skip = () => false, longestSide = {} } = folders;
  const cutouts: Cutout[] = [];
  const leftOut: { file: string; reason: string }[] = [];
  for (const [index, [name, list]] of Object.entries(folders.cutouts).entries()) {
    for (const file of await imagesIn(`cut-outs of ${name}`, list, /\.png$/i, true, skip)) {
      const image = await decode(file, longestSide.cutout ?? 512);
      const reason = whyNoCutout(image);
      if (reason === undefined) cutouts.push({ name: file, label: index + 1, image: trimmed(image) });
      else leftOut.push({ file, reason });
    }
  }
  const backgrounds: { name: string; image: RgbaImage }[] = [];
  for (const file of await imagesIn("backgrounds", folders.backgrounds, /\.(jpe?g|png)$/i, false, skip)) {
    backgrounds.push({ name: baseName(file), image: await decode(file, longestSide.background ?? 1024) });
  }
  return { classes: ["background", ...Object.keys(folders.cutouts)], cutouts, backgrounds, leftOut };
}

const baseName = (file: string): string => file.replace(/^.*[/\\]/, "").replace(/\.\w+$/, "");

async function imagesIn(
  what: string,
  folders: readonly string[],
  pattern: RegExp,
  recursive: boolean,
  skip: (path: string) => boolean,
): Promise<string[]> {
  const { join } = nodeModule("loadComposite", "node:path");
  const files: string[] = [];
  for (const given of folders) {
    const folder = given.replace(/(?<=.)[/\\]+$/, "");
    // A file has one name however its folder is written, by which it counts once and is sorted.
    const within = isBucket(folder) ? joinPath : join;
    if (pattern.test(folder) && (await kindOf(folder)) === "file") {
      files.push(folder);
      continue;
    }
    const entries = await listFiles(folder, { recursive }).catch((cause: unknown) => {
      throw missing(`the folder ${folder} for ${what} cannot be read: ${reasonOf(cause)}`, cause);
    });
    files.push(...entries.filter((entry) => pattern.test(entry)).map((entry) => within(folder, entry)));
  }
  const wanted = [...new Set(files)].filter((file) => !skip(file)).sort();
  if (wanted.length === 0) throw missing(`no image for ${what} in ${folders.join(", ") || "no folder"}`);
  return wanted;
}

function missing(problem: string, cause?: unknown): TensorError {
  const fix = "name folders that hold images";
  return new TensorError({ code: "missing-data", message: `loadComposite: ${problem}`, fix }, { cause });
}

/**
 * Throws for 16-bit values that fill only part of their scale, such as 0 to 4095, which would be nearly black in 8
 * bits.
 */
async function refuseDark(file: string): Promise<void> {
  const bands = await decodeDeep(file, await readBytes(file));
  if (bands === undefined) return;
  const { min, max } = levelsOf(bands);
  const [, high = 0] = withoutTails(rankedValues(bands));
  if (2 * high > FULL) return;
  const problem = `its values are of 16 bits, ${min} to ${max} of 0 to ${FULL}, and would be nearly black`;
  const fix =
    "save it with 8 bits: ImageMagick's mogrify -auto-level -depth 8 spreads its values, mogrify -depth 8 keeps it dark";
  throw fileError("range-needed", file, problem, fix);
}

/** The largest 16-bit value. */
const FULL = 65535;

async function decode(file: string, longestSide: number): Promise<RgbaImage> {
  const sharp = await loadSharp("loadComposite");
  try {
    if (await isDeepImage(file)) await refuseDark(file);
    const bounds = { width: longestSide, height: longestSide, fit: "inside", withoutEnlargement: true } as const;
    const image = sharp(isBucket(file) ? await readBytes(file) : file)
      .rotate()
      .resize(bounds)
      .toColourspace("srgb")
      .ensureAlpha();
    const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data), height: info.height, width: info.width };
  } catch (cause) {
    if (cause instanceof TensorError) throw cause;
    const message = `loadComposite: cannot decode ${file}: ${reasonOf(cause)}`;
    const fix = { code: "replace the file, or leave it out with { skip }" };
    throw new TensorError({ code: "unreadable-file", message, fix }, { cause });
  }
}
