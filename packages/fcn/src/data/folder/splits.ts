import { fileName, joinPath, kindOf, listFiles, readLines, withoutExtension } from "../files.js";
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

/** The split files of a folder: for each `*.txt` its name and its lines, of which the first word counts. Undefined when there are none. */
export async function readSplitFiles(
  folder: string,
): Promise<Map<string, { file: string; names: string[] }> | undefined> {
  if ((await kindOf(folder)) !== "folder") return undefined;
  const files = (await listFiles(folder)).filter((file) => file.endsWith(".txt"));
  const splits = new Map<string, { file: string; names: string[] }>();
  for (const entry of files) {
    const file = joinPath(folder, entry);
    splits.set(splitName(withoutExtension(entry)), { file, names: (await readLines(file)).map(firstWord) });
  }
  return splits.size > 0 ? splits : undefined;
}

const firstWord = (line: string): string => line.split(/\s+/)[0] as string;

/** The places among `names` of the names that a split file wants, and those that are not there. A name may carry folders and an extension. */
export function resolveSplit(
  wanted: readonly string[],
  names: readonly string[],
): { readonly indices: number[]; readonly absent: string[] } {
  const places = new Map(names.map((name, i) => [fileName(name), i] as const));
  names.forEach((name, i) => {
    places.set(name, i);
  });
  const find = (name: string): number | undefined => {
    const plain = withoutExtension(name);
    return places.get(name) ?? places.get(plain) ?? places.get(fileName(name)) ?? places.get(fileName(plain));
  };
  const found = wanted.map((name) => [name, find(name)] as const);
  return {
    indices: [...new Set(found.flatMap(([, place]) => (place === undefined ? [] : [place])))],
    absent: found.filter(([, place]) => place === undefined).map(([name]) => name),
  };
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
