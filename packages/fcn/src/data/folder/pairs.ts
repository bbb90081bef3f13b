import type { DataRemark } from "../dataset.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { joinPath, listFiles, sameText, withoutExtension } from "../files.js";

/** A picture and its mask, by their common name: the path below the folder, without extension. */
export interface Pair {
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

/** Pairs of files of the same name in two folders (searched with all folders below), and what has no partner. */
export async function findPairs(
  imageFolder: string,
  maskFolder: string,
): Promise<{ pairs: Pair[]; remarks: DataRemark[] }> {
  const remarks: DataRemark[] = [];
  const images = await picturesByName(imageFolder, remarks);
  const masks = await picturesByName(maskFolder, remarks);
  const pairs: Pair[] = [];
  for (const [name, image] of images) {
    const mask = masks.get(name);
    if (mask !== undefined) pairs.push({ name, image, mask });
    else
      remarks.push(
        problem("image-without-mask", image, `it has no mask: ${joinPath(maskFolder, name)}.png is missing`),
      );
  }
  for (const [name, mask] of masks) {
    if (!images.has(name)) remarks.push(problem("mask-without-image", mask, `it has no picture in ${imageFolder}`));
  }
  return { pairs, remarks };
}

async function picturesByName(folder: string, remarks: DataRemark[]): Promise<Map<string, string>> {
  const byName = new Map<string, string>();
  for (const file of (await listFiles(folder, { recursive: true })).filter((entry) => IMAGE_PATTERN.test(entry))) {
    const name = sameText(withoutExtension(file));
    const first = byName.get(name);
    if (first === undefined) byName.set(name, joinPath(folder, file));
    else remarks.push(problem("same-name", joinPath(folder, file), `${first} has the same name; this one is left out`));
  }
  return byName;
}

function problem(code: string, file: string, text: string): DataRemark {
  return { level: "problem", code, file, text };
}
