/** Whole nets: prediction and training step at 320x480, as they are called and captured, and what they reserve. */
import { createDevice } from "@fcn/tensor";
import { digits, markdownTable } from "../lib/table.mjs";
import { NETS } from "../stub/driver.mjs";
import { openWork } from "../stub/work.mjs";

const MIB = 2 ** 20;
const WORK = {
  predict: "prediction",
  predictCaptured: "prediction, captured",
  train: "training step",
  trainCaptured: "training step, captured",
};
const [FEWEST, MOST] = [3, 20];

/** Median and shortest ms of a few runs, each until the GPU is done; the first two are for compiling and recording. */
async function time(device, run, isOver) {
  const once = async () => {
    const start = performance.now();
    await run();
    await device.sync();
    return performance.now() - start;
  };
  const first = await once();
  await once();
  const times = [];
  while (times.length < MOST && (times.length < FEWEST || times.reduce((a, b) => a + b, 0) < 2000)) {
    if (times.length > 0 && isOver()) break;
    times.push(await once());
  }
  times.sort((a, b) => a - b);
  return { firstMs: first, ms: times[times.length >> 1], leastMs: times[0], repeats: times.length };
}

async function measure(net, rows, isOver) {
  const device = await createDevice({ quiet: true });
  try {
    const work = openWork(device, net);
    for (const [name, title] of Object.entries(WORK)) {
      if (isOver()) return false;
      device.resetPeakMemory();
      const row = { net, work: title };
      rows.push(row);
      try {
        Object.assign(row, await time(device, work[name], isOver));
        const { peakBytes, peakReservedBytes } = device.memory();
        Object.assign(row, { peakBytes, peakReservedBytes });
      } catch (error) {
        row.failure = error.message;
      }
    }
    return true;
  } finally {
    device.destroy();
  }
}

export async function run({ result, isOver, software }) {
  result.rows = [];
  for (const net of software ? NETS.slice(0, 1) : NETS) {
    if (isOver() || !(await measure(net, result.rows, isOver))) {
      result.cutOff = true;
      return;
    }
  }
}

const HEADER = ["net", "work", "first, ms", "median, ms", "least, ms", "n", "allocated, MiB", "reserved, MiB"];

export function lines({ rows = [], cutOff }) {
  const cells = rows.map((row) =>
    row.failure !== undefined || row.ms === undefined
      ? [row.net, row.work, `FAILED: ${row.failure ?? "not finished"}`, "", "", "", "", ""]
      : [
          row.net,
          row.work,
          ...[row.firstMs, row.ms, row.leastMs].map(digits),
          String(row.repeats),
          ...[row.peakBytes, row.peakReservedBytes].map((bytes) => digits(bytes / MIB)),
        ],
  );
  return [markdownTable(HEADER, cells), ...(cutOff ? ["", "* the time was over before the last of them"] : [])];
}
