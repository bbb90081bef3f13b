import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../files/errors.js";
import { joinPath, kindOf, listFiles, readLines, withoutExtension } from "../files/files.js";
import { pathFinder } from "../files/findPath.js";
import { createRandom, shuffledIndices } from "../random.js";

/** How a set without split files is divided. */
export interface SplitOptions {
  /** Part of the images that goes to "val". Default 0.2; at least one image, where there are two. */
  readonly validation?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Names of splits that go by other names elsewhere. */
const SYNONYMS: Readonly<Record<string, string>> = {
  training: "train",
  validation: "val",
  valid: "val",
  testing: "test",
};

/** The usual name of a split. */
export function splitName(name: string): string {
  return SYNONYMS[name.toLowerCase()] ?? name.toLowerCase();
}

/** The split "train", "val" or "test" that a name means; undefined where it means none. */
export function namedSplit(name: string): "train" | "val" | "test" | undefined {
  return (["train", "val", "test"] as const).find((split) => split === splitName(name));
}

/**
 * The split files of a folder: for each `*.txt` its name and its lines. Undefined when there are none. Throws where two
 * are one split.
 */
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

/** What the lines of a split file name. */
export interface ResolvedSplit {
  readonly indices: number[];
  /** The lines that name nothing. */
  readonly absent: string[];
  /** The lines that may mean several samples, and the names of those. */
  readonly ambiguous: { readonly line: string; readonly candidates: readonly string[] }[];
  /** The lines that name another folder than that of the sample which alone has the rest of the name. */
  readonly elsewhere: { readonly line: string; readonly name: string }[];
}

/** What one line means: places among the names, and whether the only one lies in another folder than was said. */
interface LineMeaning {
  readonly places: readonly number[];
  readonly contradicts: boolean;
}

/**
 * Finds the places among `names` (paths without extension) of what a line of a list says. A name may hold spaces, lie
 * below further folders and carry the extension of an image, which tells samples of one name apart; of lists in
 * columns (`images/a.jpg masks/a.png`) the first word counts. A name without its folder counts where one folder alone
 * has it.
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
    // Without a space in it the end of a line in columns would be the name of the mask.
    const whole = word === line ? undefined : look(line, (tail) => /\s/.test(tail));
    return whole ?? look(word, () => true) ?? { places: [], contradicts: false };
  };
}

/** What the lines of a split file name among samples, see {@link lineFinder}. */
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

/** What else ends in a point and some letters may be a part of the name. */
const withoutImageExtension = (name: string): string =>
  IMAGE_PATTERN.test(name) || /\.bmp$/i.test(name) ? withoutExtension(name) : name;

/** A seeded division of `count` images. */
export function seededSplit(
  count: number,
  { validation = 0.2, seed = 0 }: SplitOptions,
): { train: number[]; val: number[] } {
  const held = count < 2 ? 0 : Math.min(count - 1, Math.max(validation > 0 ? 1 : 0, Math.round(count * validation)));
  const order = shuffledIndices(count, createRandom(seed));
  const rising = (a: number, b: number): number => a - b;
  return { train: order.slice(held).sort(rising), val: order.slice(0, held).sort(rising) };
}
