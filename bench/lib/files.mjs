import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes the whole file under a temporary name first, so that a reader never sees half of it. */
async function writeWhole(path, text) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

/** Writes `<stem>.json` and `<stem>.md`. */
export async function writeReport(stem, record, markdown) {
  await writeWhole(`${stem}.json`, `${JSON.stringify(record, null, 2)}\n`);
  await writeWhole(`${stem}.md`, markdown);
}
