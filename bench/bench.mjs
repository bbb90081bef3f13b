/** The comparison as a function, for run.mjs and for other callers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { openDawn } from "./lib/dawn.mjs";
import { measureRow } from "./lib/measure.mjs";
import { installPeers } from "./lib/peers.mjs";
import { summarize } from "./lib/report.mjs";
import { ROWS } from "./rows/index.mjs";
import { openOurs } from "./sides/ours.mjs";
import { openTfjs } from "./sides/tfjs.mjs";

const versionAt = (path) => JSON.parse(readFileSync(path, "utf8")).version;

/** Two GPU devices compare only on one adapter: tfjs shows vendor and architecture of its own. */
function assertSameAdapter(ours, tfjs, dawn) {
  const same = ours.vendor === dawn.vendor && ours.device === dawn.device && ours.description === dawn.description;
  if (same && tfjs.vendor === dawn.vendor && tfjs.architecture === dawn.architecture) return;
  throw new Error(`the sides run on different adapters: ${JSON.stringify({ ours, tfjs, dawn })}`);
}

/** The rows whose title one of the patterns matches (case ignored); all of them without patterns. Throws for none. */
export function selectRows(patterns) {
  if (patterns.length === 0) return ROWS;
  const wanted = patterns.map((pattern) => new RegExp(pattern, "i"));
  const rows = ROWS.filter(({ title }) => wanted.some((pattern) => pattern.test(title)));
  if (rows.length === 0) throw new Error("no row matches; --list prints their titles");
  return rows;
}

/** The number that `--repeats` gives. Throws unless it is a whole one from 1 on. */
export function readRepeats(text) {
  const repeats = Number(text);
  if (!Number.isInteger(repeats) || repeats < 1) throw new Error(`--repeats ${text}: expected 1 or more`);
  return repeats;
}

/**
 * Runs the comparison.
 *
 * @param {{ rows: object[], repeats: number, onRow?: (row: object, index: number) => void }} options
 * @returns {Promise<object>} date, adapter, versions, rows and summary
 */
export async function runBench({ rows, repeats, onRow }) {
  installPeers();
  const dawn = await openDawn();
  const tfjs = await openTfjs();
  const ours = await openOurs();
  assertSameAdapter(ours.adapter, tfjs.adapter, dawn.info);
  const measured = [];
  for (const [index, row] of rows.entries()) {
    measured.push(await measureRow(row, ours, tfjs, repeats));
    onRow?.(measured.at(-1), index);
  }
  ours.close();
  tfjs.close();
  return {
    date: new Date().toISOString(),
    adapter: dawn.info,
    versions: {
      fcn: versionAt(new URL("../packages/tensor/package.json", import.meta.url)),
      tfjs: tfjs.version,
      webgpu: versionAt(createRequire(import.meta.url).resolve("webgpu/package.json")),
      node: process.versions.node,
    },
    repeats,
    rows: measured,
    summary: summarize(measured),
  };
}
