import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));

/** A file name for the adapter: "llvmpipe (LLVM 15.0.6, 256 bits)" -> "llvmpipe-llvm-15-0-6-256-bits". */
function adapterSlug(info) {
  const name = info.device || info.description || info.architecture || info.vendor || "adapter";
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/**
 * Writes a report of the adapter in `record` as JSON and Markdown, and prints where.
 *
 * @param {{ kind?: string, out?: string }} place `out`: the path without its ending; bench/results/[<kind>-]<adapter>
 *   where it is undefined
 */
export async function writeReport(record, markdown, { kind, out }) {
  const name = adapterSlug(record.adapter);
  const stem = out ?? join(RESULTS, kind ? `${kind}-${name}` : name);
  const texts = { json: `${JSON.stringify(record, null, 2)}\n`, md: markdown };
  const { io } = await import("@fcn/tensor");
  await mkdir(dirname(stem), { recursive: true });
  for (const [ending, text] of Object.entries(texts)) {
    await io.writeWhole("bench", `${stem}.${ending}`, [new TextEncoder().encode(text)]);
  }
  console.log(`\nwritten: ${stem}.json, ${stem}.md`);
}
