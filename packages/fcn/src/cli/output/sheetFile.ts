import { open as openFile, realpath } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { TensorError } from "@fcn/tensor";
import { isPng } from "../../data/decode/pngChunks.js";
import { isBucket } from "../../data/files/buckets.js";
import type { OpenedData, SegmentationDataset } from "../../data/samples/dataset.js";
import { realName } from "../../prediction/files/paths.js";

/**
 * Throws `file-exists` if a contact sheet would lie among the files of the data or replace one. It may overwrite an
 * earlier sheet, which is a PNG image outside the data.
 */
export async function checkSheetFile(sheet: string, opened: OpenedData): Promise<void> {
  const target = await realName(sheet);
  const files = Object.values(opened.splits)
    .flatMap(filesOf)
    .filter((file) => !isBucket(file));
  for (const folder of new Set(files.map((file) => dirname(resolve(file))))) {
    const real = await realpath(folder).catch(() => folder);
    if (target.startsWith(real + sep)) throw refused(sheet, `it lies among the images and labels, in ${folder}`);
  }
  const head = await readHead(target);
  if (head === undefined) return;
  if (!isPng(head)) throw refused(sheet, "it is a file that is not a PNG image, so not an earlier contact sheet");
  // The data may be links to files elsewhere.
  for (const file of files) {
    if ((await realpath(file).catch(() => file)) === target) throw refused(sheet, `it is the same file as ${file}`);
  }
}

function filesOf(dataset: SegmentationDataset): string[] {
  return Array.from({ length: dataset.length }, (_, i) => dataset.item?.(i)).flatMap((item) => {
    if (item === undefined) return [];
    return [...item.image, item.labels, ...Object.values(item.more ?? {})].map(({ file }) => file);
  });
}

/** The first bytes of a file, or undefined if it does not exist. */
async function readHead(path: string): Promise<Uint8Array | undefined> {
  const file = await openFile(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(8), 0, 8, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return new Uint8Array(0);
  } finally {
    await file.close();
  }
}

function refused(sheet: string, problem: string): TensorError {
  const message = `data check: the contact sheet cannot be ${sheet}: ${problem}`;
  return new TensorError({ code: "file-exists", message, fix: "name a new file outside the data" });
}
