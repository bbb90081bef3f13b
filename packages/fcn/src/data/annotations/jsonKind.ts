import { fileName, joinPath, readStart } from "../files/files.js";

/** Enough of a file to show its first keys, whatever follows them. */
const START = 65536;

/** What a JSON file may be, judging by its first keys. */
export type JsonKind = "coco" | "labelme" | "other";

/**
 * Guesses what a JSON file is from the keys in its first 64 KiB, because files with thousands of annotations or an
 * embedded image are too costly to parse for that. Files named as COCO names them count as COCO unread.
 */
export async function jsonKind(root: string, file: string): Promise<JsonKind> {
  if (/^(instances_.*|_annotations\.coco)\.json$/i.test(fileName(file))) return "coco";
  const bytes = await readStart(joinPath(root, file), START);
  // Reading one byte per character shows ASCII keys in any encoding; for UTF-16 the zeros are dropped.
  const text = new TextDecoder("latin1").decode(bytes).replaceAll("\0", "");
  if (/"(shapes|imagePath|imageData|imageHeight)"\s*:/.test(text)) return "labelme";
  return /"(images|annotations|categories|info|licenses)"\s*:/.test(text) ? "coco" : "other";
}
