import { TensorError } from "@fcn/tensor";
import { mapAhead } from "../../async/pipeline.js";
import { unlessAway } from "../files/errors.js";
import { fileName, joinPath, listFiles, readStart } from "../files/files.js";
import { type DataRemark, remarkOf } from "../files/remarks.js";

/** The JSON files anywhere below `root` that may hold annotations. */
export async function jsonFiles(root: string): Promise<string[]> {
  const files = await listFiles(root, { recursive: true });
  return files.filter((file) => /\.json$/i.test(file) && fileName(file) !== "classes.json");
}

/** Enough of a file to show its first keys, whatever follows them. */
const START = 65536;

/**
 * The first 64 KiB of a file, one character a byte. This shows ASCII in any encoding; for UTF-16 the zeros are dropped.
 */
export async function startOf(root: string, file: string): Promise<string> {
  const bytes = await readStart(joinPath(root, file), START);
  return new TextDecoder("latin1").decode(bytes).replaceAll("\0", "");
}

/** What a JSON file may be, judging by its first keys. */
export type JsonKind = "coco" | "labelme" | "other";

/**
 * Guesses what a JSON file is from the keys in its first 64 KiB, quoted as in JSON or as Python prints them, because
 * files with thousands of annotations or an embedded image are too costly to parse for that. Files named as COCO names
 * them count as COCO unread.
 */
export async function jsonKind(root: string, file: string): Promise<JsonKind> {
  if (/^(instances_.*|_annotations\.coco)\.json$/i.test(fileName(file))) return "coco";
  const text = await startOf(root, file);
  if (/(["'])(shapes|imagePath|imageData|imageHeight)\1\s*:/.test(text)) return "labelme";
  return /(["'])(images|annotations|categories|info|licenses)\1\s*:/.test(text) ? "coco" : "other";
}

/**
 * Reads files, `ahead` of them at a time, and takes them in turn, without those for which `take` returns nothing. Those
 * that cannot be read become remarks.
 */
export async function readEach<T, R>(
  root: string,
  files: readonly string[],
  about: { readonly remarks: DataRemark[]; readonly signal: AbortSignal | undefined; readonly ahead: number },
  read: (file: string) => Promise<T>,
  take: (file: string, value: T) => R | undefined | Promise<R | undefined>,
): Promise<{ found: R[]; failures: TensorError[] }> {
  const found: R[] = [];
  const failures: TensorError[] = [];
  const reading = mapAhead(files, about.ahead, async (file) => {
    about.signal?.throwIfAborted();
    return read(file).then(
      (value) => ({ file, value }),
      (error: unknown) => ({ file, error }),
    );
  });
  for await (const { file, ...loaded } of reading) {
    try {
      if ("error" in loaded) throw loaded.error;
      const taken = await take(file, loaded.value);
      if (taken !== undefined) found.push(taken);
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      failures.push(unlessAway(error)(error));
      about.remarks.push(remarkOf(error, [joinPath(root, file)]));
    }
  }
  return { found, failures };
}
