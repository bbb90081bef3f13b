/** The most that the GPU does when nothing holds it up: multiply-adds, copies, and the way there and back. */
import { digits } from "../lib/table.mjs";
import { openRaw } from "./raw.mjs";

const WG = 256;
/** Values that a lane sums, independently of each other: more than the latency of a multiply-add needs. */
const VALUES = 16;
const TURNS = 256;

const arithmetic = (width) => {
  const type = width === 1 ? "f32" : `vec${width}f`;
  const sums = Array.from({ length: VALUES / width }, (_, i) => i);
  const each = (text) => sums.map(text).join(" ");
  return `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${WG})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = ${type}(y[0] * 1e-3 + 0.5);
  let b = ${type}(y[1] * 1e-3);
  ${each((i) => `var s${i} = ${type}(f32(id.x + ${i}u));`)}
  for (var i = 0u; i < ${TURNS}u; i++) { ${each((i) => `s${i} = fma(s${i}, a, b);`)} }
  let sum = ${sums.map((i) => `s${i}`).join(" + ")};
  if (dot(vec4f(sum), vec4f(1.0)) == 1.25) { y[id.x] = 1.0; }
}`;
};

const COPY = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${WG})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${WG}u;
  if (i < arrayLength(&y)) { y[i] = x[i]; }
}`;

/** One number after another, with the section's result so far kept in `result`. */
export async function run({ software, result }) {
  const raw = await openRaw();
  try {
    result.clock = raw.hasTimestamps ? "the GPU's own (timestamp-query)" : "the host's, around each submit";
    const groups = software ? 64 : 4096;
    const y = raw.buffer(groups * WG * 4);
    result.gflops = {};
    for (const width of [1, 4]) {
      const pipeline = await raw.pipeline(arithmetic(width));
      const bound = raw.bind(pipeline, [{ buffer: y }]);
      const ms = await raw.measure((pass) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bound);
        pass.dispatchWorkgroups(groups);
      });
      result.gflops[width === 1 ? "f32" : `vec${width}f`] = (2 * groups * WG * VALUES * TURNS) / ms / 1e6;
    }
    raw.free();
    const bytes = Math.min((software ? 64 : 512) * 2 ** 20, raw.bindingLimit);
    const [from, to] = [raw.buffer(bytes), raw.buffer(bytes)];
    const pipeline = await raw.pipeline(COPY);
    const bound = raw.bind(pipeline, [{ buffer: from }, { buffer: to }]);
    const count = Math.ceil(bytes / 16 / WG);
    const ms = await raw.measure((pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bound);
      pass.dispatchWorkgroups(Math.min(count, 65535), Math.ceil(count / 65535));
    });
    result.copyGBs = (2 * bytes) / ms / 1e6;
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

/** The faster of the two forms of multiply-adds. */
export const peakGflops = (result) => Math.max(0, ...Object.values(result?.gflops ?? {}));

export function lines(result) {
  const { gflops = {}, copyGBs = Number.NaN, roundTripMs = Number.NaN, clock } = result;
  return [
    ...Object.entries(gflops).map(([type, value]) => `* multiply-adds of ${type}: ${digits(value)} GFLOP/s`),
    `* copy: ${digits(copyGBs)} GB/s, read and written`,
    `* an empty submit until the host knows: ${digits(roundTripMs)} ms`,
    `* clock of kernels: ${clock}`,
  ];
}
