import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../files/errors.js";
import { joinPath, kindOf, listFiles, readLines, withoutExtension } from "../files/files.js";
import { pathFinder } from "../files/findPath.js";
import { createRandom, shuffledIndices } from "../random.js";

/** How to divide a set that has no split files. */
export interface SplitOptions {
  /** Share of the images that goes to "val". Default 0.2; at least one image if there are two. */
  readonly validation?: number;
  /** Seed of the random division. Default 0. */
  readonly seed?: number;
}

/** Other names for splits, mapped to the usual ones. */
const SYNONYMS: Readonly<Record<string, string>> = {
  training: "train",
  validation: "val",
  valid: "val",
  testing: "test",
};

export function splitName(name: string): string {
  return SYNONYMS[name.toLowerCase()] ?? name.toLowerCase();
}

/** The split "train", "val" or "test" that a name means, or undefined. */
export function namedSplit(name: string): "train" | "val" | "test" | undefined {
  return (["train", "val", "test"] as const).find((split) => split === splitName(name));
}

/** The lines of each split file (`*.txt`) by split. Undefined if there are none. Throws if two files mean one split. */
export async function readSplitFiles(
  folder: string,
): Promise<Map<string, { file: string; lines: string[] }> | undefined> {
  if ((await kindOf(folder)) !== "folder") return undefined;
  const files = (await listFiles(folder)).filter((file) => /\.txt$/i.test(file));
  const splits = new Map<string, { file: string; lines: string[] }>();
  for (const entry of files) {
    const [name, file] = [splitName(withoutExtension(entry)), joinPath(folder, entry)];
    const twin = splits.get(name)?.file;
    if (twin !== undefined) {
      const fix = "bring the names into one of them, and remove the other";
      throw fileError("same-name", file, `it is the list of "${name}", and so is ${twin}`, fix);
    }
    splits.set(name, { file, lines: await readLines(file) });
  }
  return splits.size > 0 ? splits : undefined;
}

/** The samples that the lines of a split file name. */
export interface ResolvedSplit {
  readonly indices: number[];
  /** Lines that match nothing. */
  readonly absent: string[];
  /** Lines that match several samples, and the names of those samples. */
  readonly ambiguous: { readonly line: string; readonly candidates: readonly string[] }[];
  /** Lines whose folder differs from that of the only sample with the rest of the name. */
  readonly elsewhere: { readonly line: string; readonly name: string }[];
}

/** The samples that one line matches, as indices, and whether the only one lies in another folder than stated. */
interface LineMeaning {
  readonly places: readonly number[];
  readonly contradicts: boolean;
}

/**
 * Returns a function that finds a list's line among `names` (paths without extension). A name may contain spaces, lie
 * in further folders, and have an image extension, which distinguishes samples of the same name. In lists with columns
 * (`images/a.jpg masks/a.png`) the first word counts. A name without its folder is accepted if it is unique.
 *
 * @param images the file of each sample
 */
export function lineFinder(names: readonly string[], images: readonly string[] = []): (line: string) => LineMeaning {
  const find = pathFinder(names);
  const look = (text: string, isEnough: (tail: string) => boolean): LineMeaning | undefined => {
    for (const said of new Set([text, withoutImageExtension(text)])) {
      const found = find(said, { folder: "", prefer: [(_, whole) => whole] });
      if (found === undefined || !isEnough(found.tail)) continue;
      if ("place" in found) return { places: [found.place], contradicts: found.contradicts };
      const ending = extensionOf(text);
      const alike = found.places.filter((place) => extensionOf(images[place] ?? "") === ending);
      return { places: alike.length > 0 ? alike : found.places, contradicts: false };
    }
    return undefined;
  };
  return (line) => {
    const [word = ""] = line.split(/\s+/);
    // A match must contain a space; otherwise the last column, which is the mask's name, could match.
    const whole = word === line ? undefined : look(line, (tail) => /\s/.test(tail));
    return whole ?? look(word, () => true) ?? { places: [], contradicts: false };
  };
}

/** Resolves the lines of a split file to samples, see {@link lineFinder}. */
export function resolveSplit(
  lines: readonly string[],
  names: readonly string[],
  images: readonly string[] = [],
): ResolvedSplit {
  const find = lineFinder(names, images);
  const found = lines.map((line) => ({ line, ...find(line) }));
  const single = found.filter(({ places }) => places.length === 1);
  const nameOf = (place: number): string => names[place] as string;
  const shown = (places: readonly number[]): string[] => {
    const isTold = new Set(places.map(nameOf)).size === places.length;
    return places.map((place) => (isTold ? nameOf(place) : `${nameOf(place)}${extensionOf(images[place] ?? "")}`));
  };
  return {
    indices: [...new Set(single.flatMap(({ places }) => places))],
    absent: found.filter(({ places }) => places.length === 0).map(({ line }) => line),
    ambiguous: found
      .filter(({ places }) => places.length > 1)
      .map(({ line, places }) => ({ line, candidates: shown(places) })),
    elsewhere: single
      .filter(({ contradicts }) => contradicts)
      .map(({ line, places }) => ({ line, name: nameOf(places[0] as number) })),
  };
}

const extensionOf = (path: string): string => path.slice(withoutExtension(path).length).toLowerCase();

/** Any other final dot and letters may be part of the name. */
const withoutImageExtension = (name: string): string =>
  IMAGE_PATTERN.test(name) || /\.bmp$/i.test(name) ? withoutExtension(name) : name;

/** Divides `count` images at random by a seed. */
export function seededSplit(
  count: number,
  { validation = 0.2, seed = 0 }: SplitOptions,
): { train: number[]; val: number[] } {
  const held = count < 2 ? 0 : Math.min(count - 1, Math.max(validation > 0 ? 1 : 0, Math.round(count * validation)));
  const order = shuffledIndices(count, createRandom(seed));
  const rising = (a: number, b: number): number => a - b;
  return { train: order.slice(held).sort(rising), val: order.slice(0, held).sort(rising) };
}
