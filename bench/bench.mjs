/** The comparison as a function, for run.mjs and for other callers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { measureFresh } from "./fresh/fresh.mjs";
import { openDawn } from "./lib/dawn.mjs";
import { measureRow } from "./lib/measure.mjs";
import { measurePeak } from "./lib/peak.mjs";
import { installPeers } from "./lib/peers.mjs";
import { openRaw } from "./lib/raw.mjs";
import { summarize } from "./lib/report.mjs";
import { PEERS } from "./sides/index.mjs";
import { openOurs } from "./sides/ours.mjs";

const versionAt = (path) => JSON.parse(readFileSync(path, "utf8")).version;

/** Two GPU devices compare only on one adapter: a peer on Dawn shows at least vendor and architecture of its own. */
function assertSameAdapter(sides, dawn) {
  for (const { name, adapter } of Object.values(sides)) {
    if (!adapter) continue;
    const { vendor, architecture = dawn.architecture } = adapter;
    if (vendor === dawn.vendor && architecture === dawn.architecture) continue;
    throw new Error(`${name} runs on another adapter: ${JSON.stringify({ adapter, dawn })}`);
  }
}

const FRESH_PEERS = ["onnx", "onnxCpu", "torch"];

/** The number that `--repeats` gives. Throws unless it is a whole one from 1 on. */
export function readRepeats(text) {
  const repeats = Number(text);
  if (!Number.isInteger(repeats) || repeats < 1) throw new Error(`--repeats ${text}: expected 1 or more`);
  return repeats;
}

/** Ours and every peer that one of the rows has. Peers that cannot be opened are left out, with a word. */
async function openSides(rows, fresh) {
  const sides = { ours: await openOurs() };
  const missing = {};
  for (const [name, { title, open }] of Object.entries(PEERS)) {
    if (!rows.some(({ opens }) => opens[name]) && !(fresh && FRESH_PEERS.includes(name))) continue;
    try {
      sides[name] = await open();
    } catch (error) {
      missing[name] = error.message;
      console.error(`${title} is left out: ${error.message}`);
    }
  }
  return { sides, missing };
}

const known = (sides) =>
  Object.fromEntries(Object.entries(sides).flatMap(([name, { version }]) => (version ? [[name, version]] : [])));

/** What the adapter does at best, on a device that is closed before anything else is measured. */
async function peakOf(adapter, ours) {
  const raw = await openRaw(adapter);
  try {
    return await measurePeak(raw, ours.device.info.software);
  } finally {
    raw.close();
  }
}

/**
 * Runs the comparison.
 *
 * @param {{ rows: object[], repeats: number, fresh?: boolean, onRow?: (row: object, index: number) => void }} options
 *   `fresh`: with the first predictions and the peak memory
 * @returns date, adapter, its peak, versions, rows and summary
 */
export async function runBench({ rows, repeats, fresh = false, onRow }) {
  installPeers();
  const dawn = await openDawn();
  const { sides, missing } = await openSides(rows, fresh);
  const peak = await peakOf(dawn.adapter, sides.ours);
  assertSameAdapter(sides, dawn.info);
  const measured = [];
  for (const [index, row] of rows.entries()) {
    measured.push(await measureRow(row, sides, repeats, peak));
    onRow?.(measured.at(-1), index);
  }
  const processes = fresh ? await measureFresh(sides.ours, Object.keys(missing)) : [];
  for (const side of Object.values(sides)) side.close();
  return {
    date: new Date().toISOString(),
    adapter: dawn.info,
    peak,
    versions: {
      fcn: versionAt(new URL("../packages/tensor/package.json", import.meta.url)),
      webgpu: versionAt(createRequire(import.meta.url).resolve("webgpu/package.json")),
      node: process.versions.node,
      ...known(sides),
    },
    missing,
    repeats,
    rows: measured,
    fresh: processes,
    summary: summarize(measured),
  };
}
