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

/** The split files of a folder: for each `*.txt` its name and its lines. Undefined when there are none. */
export async function readSplitFiles(
  folder: string,
): Promise<Map<string, { file: string; lines: string[] }> | undefined> {
  if ((await kindOf(folder)) !== "folder") return undefined;
  const files = (await listFiles(folder)).filter((file) => file.endsWith(".txt"));
  const splits = new Map<string, { file: string; lines: string[] }>();
  for (const entry of files) {
    const file = joinPath(folder, entry);
    splits.set(splitName(withoutExtension(entry)), { file, lines: await readLines(file) });
  }
  return splits.size > 0 ? splits : undefined;
}

/**
 * The places among `names` of what the lines of a split file name, and the lines that name nothing. A name may hold spaces, lie below further
 * folders and carry an extension; of lists in columns (`images/a.jpg masks/a.png`) the first word counts.
 */
export function resolveSplit(
  lines: readonly string[],
  names: readonly string[],
): { readonly indices: number[]; readonly absent: string[] } {
  const places = new Map(names.map((name, i) => [sameText(fileName(name)), i] as const));
  names.forEach((name, i) => {
    places.set(sameText(name), i);
  });
  const find = (candidates: readonly string[]): number | undefined => {
    const known = candidates.flatMap((name) => [name, withoutExtension(name)]).find((name) => places.has(name));
    return known === undefined ? undefined : places.get(known);
  };
  const found = lines.map((line) => {
    const text = sameText(line);
    const [word = ""] = text.split(/\s+/);
    // Without a space in it the end of a line in columns would be the name of the mask.
    const wholes = endsOf(text).filter((end) => /\s/.test(end));
    return [line, find(wholes) ?? find(endsOf(word))] as const;
  });
  return {
    indices: [...new Set(found.flatMap(([, place]) => (place === undefined ? [] : [place])))],
    absent: found.filter(([, place]) => place === undefined).map(([line]) => line),
  };
}

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
