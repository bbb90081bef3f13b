/** The most that the GPU does when nothing holds it up: multiply-adds, copies, and the way there and back. */
import { measurePeak } from "../lib/peak.mjs";
import { openRaw } from "../lib/raw.mjs";
import { digits } from "../lib/table.mjs";

/** The peaks, with the section's result so far kept in `result`. */
export async function run({ software, result }) {
  const raw = await openRaw();
  try {
    result.clock = raw.hasTimestamps ? "the GPU's own (timestamp-query)" : "the host's, around each submit";
    const { flops, bytes } = await measurePeak(raw, software);
    Object.assign(result, { gflops: flops / 1e9, copyGBs: bytes / 1e9 });
    result.roundTripMs = await roundTrip(raw);
  } finally {
    raw.close();
  }
}

/** Median ms from a submit of next to nothing until the host knows that it is done. */
async function roundTrip(raw) {
  const buffer = raw.buffer(256);
  const times = [];
  for (let i = 0; i < 20; i++) {
    const encoder = raw.device.createCommandEncoder();
    encoder.clearBuffer(buffer);
    const start = performance.now();
    raw.device.queue.submit([encoder.finish()]);
    await raw.device.queue.onSubmittedWorkDone();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[10];
}

export function lines({ gflops = Number.NaN, copyGBs = Number.NaN, roundTripMs = Number.NaN, clock }) {
  return [
    `* multiply-adds: ${digits(gflops)} GFLOP/s`,
    `* copy: ${digits(copyGBs)} GB/s, read and written`,
    `* an empty submit until the host knows: ${digits(roundTripMs)} ms`,
    `* clock of kernels: ${clock}`,
  ];
}
