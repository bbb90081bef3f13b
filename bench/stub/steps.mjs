/**
 * Times steps of a net on the GPU that Dawn sees, and says where the time goes: `node steps.mjs NET STEPS`. Prints
 * JSON.
 */
import { Session } from "node:inspector/promises";
import { createDevice } from "@fcn/tensor";
import { globals } from "webgpu";
import { openWork } from "./work.mjs";

const WARM_UP = 20;
/** Microseconds between samples of the profile. */
const INTERVAL = 250;

/** The part of the library that a frame belongs to: the first rule that fits it, or else what called it. */
const PARTS = [
  ["garbage", ({ functionName }) => functionName === "(garbage collector)"],
  ["WebGPU", ({ url }) => /device\/(commands|guarded|pipelines|bindGroups|failures)\.js$/.test(url)],
  ["planning", ({ url }) => /kernels\/dist\/|core\/planned\.js$/.test(url)],
  ["recording", ({ url }) => /tensor\/dist\/device\//.test(url)],
  ["autograd and ops", ({ url }) => /tensor\/dist\/|fcn\/dist\//.test(url)],
];

const passes = globals.GPUComputePassEncoder.prototype;
const { dispatchWorkgroups } = passes;
let dispatches = 0;

/** The dispatches of one run, counted apart from all timing. */
async function countDispatches(run) {
  dispatches = 0;
  passes.dispatchWorkgroups = function (...grid) {
    dispatches++;
    return dispatchWorkgroups.apply(this, grid);
  };
  await run();
  passes.dispatchWorkgroups = dispatchWorkgroups;
  return dispatches;
}

async function repeat(run, steps) {
  const times = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

/** The share of the samples of each part while `run` is repeated. */
async function profile(run, steps) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL });
  await session.post("Profiler.start");
  await repeat(run, steps);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const partOf = (id) => {
    if (id === undefined) return "other";
    return PARTS.find(([, fits]) => fits(nodes.get(id).callFrame))?.[0] ?? partOf(callers.get(id));
  };
  const parts = {};
  let total = 0;
  for (const id of profile.samples) {
    if (["(idle)", "(program)", "(root)"].includes(nodes.get(id).callFrame.functionName)) continue;
    const part = partOf(id);
    parts[part] = (parts[part] ?? 0) + 1;
    total++;
  }
  return Object.fromEntries(Object.entries(parts).map(([part, samples]) => [part, samples / total]));
}

async function measure(run, steps) {
  await repeat(run, WARM_UP);
  const count = await countDispatches(run);
  const times = await repeat(run, steps);
  return { dispatches: count, lowest: times[0], median: times[times.length >> 1], parts: await profile(run, steps) };
}

const [name, steps] = process.argv.slice(2);
const device = await createDevice({ quiet: true });
const rows = {};
for (const [work, run] of Object.entries(openWork(device, name))) rows[work] = await measure(run, Number(steps));
console.log(JSON.stringify({ adapter: device.info.description, rows }));
process.exit(0);
