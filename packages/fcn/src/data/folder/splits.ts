import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../errors.js";
import { fileName, joinPath, kindOf, listFiles, readLines, sameText, withoutExtension } from "../files.js";
import { createRandom, shuffledIndices } from "../random.js";

/** How a set without split files is divided. */
export interface SplitOptions {
  /** Part of the pictures that goes to "val". Default 0.2; at least one picture, where there are two. */
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

/** The split files of a folder: for each `*.txt` its name and its lines. Undefined when there are none. Throws where two are one split. */
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
}

/**
 * The places among `names` of what the lines of a split file name. A name may hold spaces, lie below further folders and carry the extension of a
 * picture; of lists in columns (`images/a.jpg masks/a.png`) the first word counts. A name without its folder counts where one folder alone has it.
 */
export function resolveSplit(lines: readonly string[], names: readonly string[]): ResolvedSplit {
  const whole = new Map(names.map((name, i) => [sameText(name), i] as const));
  const byFile = new Map<string, number[]>();
  names.forEach((name, i) => {
    const key = sameText(fileName(name));
    const places = byFile.get(key);
    if (places) places.push(i);
    else byFile.set(key, [i]);
  });
  const placesOf = (name: string): readonly number[] => {
    const place = whole.get(name);
    return place === undefined ? (byFile.get(name) ?? []) : [place];
  };
  const find = (candidates: readonly string[]): readonly number[] => {
    const known = candidates.flatMap((name) => [name, withoutPictureExtension(name)]).map(placesOf);
    return known.find(({ length }) => length > 0) ?? [];
  };
  const found = lines.map((line) => {
    const text = sameText(line);
    const [word = ""] = text.split(/\s+/);
    // Without a space in it the end of a line in columns would be the name of the mask.
    const wholes = find(endsOf(text).filter((end) => /\s/.test(end)));
    return { line, places: wholes.length > 0 ? wholes : find(endsOf(word)) };
  });
  const nameOf = (place: number): string => names[place] as string;
  return {
    indices: [...new Set(found.flatMap(({ places }) => (places.length === 1 ? places : [])))],
    absent: found.filter(({ places }) => places.length === 0).map(({ line }) => line),
    ambiguous: found
      .filter(({ places }) => places.length > 1)
      .map(({ line, places }) => ({ line, candidates: places.map(nameOf) })),
  };
}

/** What else ends in a point and some letters may be a part of the name. */
const withoutPictureExtension = (name: string): string =>
  IMAGE_PATTERN.test(name) || /\.bmp$/i.test(name) ? withoutExtension(name) : name;

/** A path, and what is left of it without its first folder, without its first two, and so on. */
function endsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(i).join("/"));
}

/** A seeded division of `count` pictures. */
export function seededSplit(
  count: number,
  { validation = 0.2, seed = 0 }: SplitOptions,
): { train: number[]; val: number[] } {
  const held = count < 2 ? 0 : Math.min(count - 1, Math.max(validation > 0 ? 1 : 0, Math.round(count * validation)));
  const order = shuffledIndices(count, createRandom(seed));
  const rising = (a: number, b: number): number => a - b;
  return { train: order.slice(held).sort(rising), val: order.slice(0, held).sort(rising) };
}
