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

/** The path of a report without its ending: `out`, or bench/results/[<kind>-]<adapter>. */
export function reportStem({ adapter }, { kind, out }) {
  const name = adapterSlug(adapter);
  return out ?? join(RESULTS, kind ? `${kind}-${name}` : name);
}

/**
 * Writes a report of the adapter in `record` as JSON and Markdown, with a chart where there is one, and prints where.
 *
 * @param {{ kind?: string, out?: string, svg?: string }} place see `reportStem`; `svg` is the chart
 */
export async function writeReport(record, markdown, { kind, out, svg }) {
  const stem = reportStem(record, { kind, out });
  const json = `${JSON.stringify(record, null, 2)}\n`;
  const texts = { json, md: markdown, ...(svg ? { svg } : {}) };
  const { io } = await import("@fcn/tensor");
  await mkdir(dirname(stem), { recursive: true });
  const written = [];
  for (const [ending, text] of Object.entries(texts)) {
    const path = `${stem}.${ending}`;
    await io.writeWhole("bench", path, [new TextEncoder().encode(text)]);
    written.push(path);
  }
  console.log(`\nwritten: ${written.join(", ")}`);
}
