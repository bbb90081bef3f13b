/** Measures one row: checks first that all sides compute the same, then times them in turn. */
import { PEERS } from "../sides/index.mjs";
import { compareOutputs } from "./compare.mjs";
import { interleave } from "./timing.mjs";

/** The side that runs what `opens` calls by this name: both ways of ours run on the same one. */
const sideOf = (sides, name) => (name === "host" ? sides.ours : sides[name]);

async function outputsOf(side, { step, state }, kinds) {
  const outputs = await side.download(step, kinds);
  return state ? { ...outputs, ...(await state()) } : outputs;
}

/**
 * Opens what takes part, in the order of `opens`: ours come first. Compares the outputs of every peer with those of the
 * work of ours beside it.
 *
 * @returns the errors of each peer by output, those that failed with their message, and ms of the slowest side
 */
async function openAndCheck(row, sides, opened) {
  const outputs = {};
  const [errors, failed] = [{}, {}];
  let slowest = 0;
  for (const [name, open] of Object.entries(row.opens)) {
    const side = sideOf(sides, name);
    if (!side) continue;
    const { beside } = PEERS[name] ?? {};
    try {
      opened[name] = await open(side, { sides, opened });
      const start = performance.now();
      const found = await outputsOf(side, opened[name], row.kinds);
      slowest = Math.max(slowest, performance.now() - start);
      if (beside) errors[name] = compareOutputs(outputs[beside], found);
      else outputs[name] = found;
    } catch (error) {
      if (!beside) throw error;
      failed[name] = `fails: ${error.message.split("\n")[0]}`;
      if (opened[name]) side.dispose(opened[name].owned);
      delete opened[name];
    }
  }
  return { errors, failed, slowest };
}

/**
 * Shares of what the adapter can do: the least time that the work could take at the peaks measured on it, over the
 * time that it took.
 */
function shareOf({ flop, values }, peak, ms) {
  if (!flop || !peak) return {};
  const bytes = 4 * values;
  const least = Math.max(flop / peak.flops, bytes / peak.bytes) * 1000;
  return {
    gflops: flop / ms / 1e6,
    bound: flop / peak.flops >= bytes / peak.bytes ? "arithmetic" : "memory",
    share: least / ms,
  };
}

function finished(row, opened, times, errors, peak) {
  const ms = Object.fromEntries(Object.entries(times).map(([name, { median }]) => [name, median]));
  /** @type {Record<string, { ms: number, ratio: number, difference: number, agrees: boolean, errors: object }>} */
  const peers = {};
  for (const name of Object.keys(opened).filter((each) => each in PEERS)) {
    const { beside } = PEERS[name];
    const ratio = ms[name] / ms[beside];
    const difference = Math.max(...Object.values(errors[name]));
    peers[name] = { ms: ms[name], ratio, difference, agrees: difference <= row.tolerance, errors: errors[name] };
  }
  return {
    title: row.title,
    group: row.group,
    ...(row.note ? { note: row.note } : {}),
    without: row.without,
    ms,
    ...shareOf(row, peak, ms.ours),
    peers,
    repeats: Object.values(times)[0].times.length,
    times: Object.fromEntries(Object.entries(times).map(([name, { times: all }]) => [name, all])),
  };
}

/**
 * @param {Record<string, object>} sides the open ones: `ours`, and peers by their names in sides/index.mjs
 * @param {{ flops: number, bytes: number }} [peak] what the adapter can do in a second
 * @returns title, median ms of each side, for each peer `ratio` = its time / ours and how far its
 *   outputs differ (one that does not agree counts for nothing), and all times, ascending
 */
export async function measureRow(row, sides, repeats, peak) {
  const opened = {};
  try {
    const { errors, failed, slowest } = await openAndCheck(row, sides, opened);
    const tasks = Object.entries(opened).map(([name, { step }]) => [name, () => sideOf(sides, name).run(step)]);
    const times = await interleave(Object.fromEntries(tasks), repeats, slowest);
    return finished({ ...row, without: { ...row.without, ...failed } }, opened, times, errors, peak);
  } finally {
    for (const [name, { owned }] of Object.entries(opened)) sideOf(sides, name).dispose(owned);
  }
}
