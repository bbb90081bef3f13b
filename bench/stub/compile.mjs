/**
 * Compiles all that a net dispatches, on the GPU that Dawn sees: `node compile.mjs NET [float16]`. What the driver says
 * of a pipeline goes to standard error between `@@begin KEY` and `@@end`; standard output gets how often each was
 * dispatched in one training step and in one prediction, as JSON.
 */
import { writeSync } from "node:fs";
import { createDevice } from "@fcn/tensor";
import { globals } from "webgpu";
import { openSteps } from "./work.mjs";

const CONSTANT = /^const ([A-Z][A-Z0-9_]*): (?:u32|i32|f32|bool) = ([\w.-]+);/gm;

const devices = globals.GPUDevice.prototype;
const passes = globals.GPUComputePassEncoder.prototype;
const { createShaderModule, createComputePipeline } = devices;
const { setPipeline } = passes;
const codes = new WeakMap();
const keys = new WeakMap();
/** Dispatches by pipeline since the last count. */
let dispatches = {};

devices.createShaderModule = function (descriptor) {
  const module = createShaderModule.call(this, descriptor);
  codes.set(module, descriptor.code);
  return module;
};
devices.createComputePipeline = function (descriptor) {
  const constants = [...codes.get(descriptor.compute.module).matchAll(CONSTANT)];
  const key = [descriptor.label, ...constants.map(([, name, value]) => `${name}=${value}`)].join(" ");
  writeSync(2, `\n@@begin ${key}\n`);
  const pipeline = createComputePipeline.call(this, descriptor);
  writeSync(2, "\n@@end\n");
  keys.set(pipeline, key);
  return pipeline;
};
passes.setPipeline = function (pipeline) {
  const key = keys.get(pipeline);
  dispatches[key] = (dispatches[key] ?? 0) + 1;
  return setPipeline.call(this, pipeline);
};

/** The dispatches of a second run: the first step of an optimiser differs. */
async function countDispatches(run) {
  await run();
  dispatches = {};
  await run();
  return { ...dispatches };
}

const device = await createDevice({ quiet: true });
const [, , net, precision] = process.argv;
const { train, predict } = openSteps(device, net, precision);
const scoped = (step) => () =>
  device.scope(async () => {
    await step();
  });
const counts = { train: await countDispatches(scoped(train)), predict: await countDispatches(scoped(predict)) };
console.log(JSON.stringify({ adapter: device.info.description, ...counts }));
process.exit(0);
