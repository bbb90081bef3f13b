import type { DataRemark } from "../dataset.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { joinPath, listEntries, sameText, withoutExtension } from "../files.js";

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
  for (const [name, image] of images.files) {
    const mask = masks.files.get(name);
    if (mask !== undefined) pairs.push({ name, image, mask });
    else if (!masks.broken.has(name)) {
      const other = masks.unread.get(name);
      const text = `it has no mask: ${other === undefined ? `${joinPath(maskFolder, name)}.png is missing` : `${other} is not read, a mask must be PNG`}`;
      remarks.push(problem("image-without-mask", image, text));
    }
  }
  for (const [name, mask] of masks.files) {
    if (images.files.has(name) || images.broken.has(name)) continue;
    const other = images.unread.get(name);
    const why = other === undefined ? "" : `: ${other} is of a format that is not read; save it as PNG or JPEG`;
    remarks.push(problem("mask-without-image", mask, `it has no picture in ${imageFolder}${why}`));
  }
  return { pairs, remarks };
}

const UNREAD_PATTERN = /\.(bmp|tga|p[bgpn]m|hei[cf]|jp2|j2k|jxl|psd|dng|cr2|nef|exr|hdr|svg|ico|npy|mat)$/i;

interface Pictures {
  readonly files: Map<string, string>;
  /** Names of links to nothing. */
  readonly broken: Set<string>;
  /** Files of other formats of pictures, such as .bmp, by name. */
  readonly unread: Map<string, string>;
}

/** The pictures of a folder by their name. */
async function picturesByName(folder: string, remarks: DataRemark[]): Promise<Pictures> {
  const found = await listEntries(folder, { recursive: true });
  const files = new Map<string, string>();
  for (const file of found.files.filter((entry) => IMAGE_PATTERN.test(entry))) {
    const name = sameText(withoutExtension(file));
    const first = files.get(name);
    if (first === undefined) files.set(name, joinPath(folder, file));
    else remarks.push(problem("same-name", joinPath(folder, file), `${first} has the same name; this one is left out`));
  }
  const broken = found.broken.filter(({ path }) => IMAGE_PATTERN.test(path));
  for (const { path, target } of broken) {
    remarks.push(problem("broken-link", joinPath(folder, path), `it is a link to ${target}, where nothing is`));
  }
  const others = found.files.filter((entry) => UNREAD_PATTERN.test(entry));
  const unread = new Map(others.map((file) => [sameText(withoutExtension(file)), joinPath(folder, file)]));
  return { files, unread, broken: new Set(broken.map(({ path }) => sameText(withoutExtension(path)))) };
}

function problem(code: string, file: string, text: string): DataRemark {
  return { level: "problem", code, file, text };
}
