import { fileName, joinPath, readStart } from "../files/files.js";

/** So much of a file shows its first keys, whatever it holds after them. */
const START = 65536;

/** What the keys at the start of a JSON file say that it may be. */
export type JsonKind = "coco" | "labelme" | "other";

/**
 * What a JSON file may be, by the keys in its first 64 KiB: files of thousands of annotations, or with an image
 * inside, are not parsed for that. COCO files of these names count without a look.
 */
export async function jsonKind(root: string, file: string): Promise<JsonKind> {
  if (/^(instances_.*|_annotations\.coco)\.json$/i.test(fileName(file))) return "coco";
  const bytes = await readStart(joinPath(root, file), START);
  // One byte a letter shows ASCII keys in any encoding; those of UTF-16 without its zeros.
  const text = new TextDecoder("latin1").decode(bytes).replaceAll("\0", "");
  if (/"(shapes|imagePath|imageData|imageHeight)"\s*:/.test(text)) return "labelme";
  return /"(images|annotations|categories|info|licenses)"\s*:/.test(text) ? "coco" : "other";
}
