/** What an adapter can do at best: multiply-adds and bytes a second, measured with two kernels of a few lines. */
import { readFile } from "node:fs/promises";

const GROUP = 64;
/** Invocations; for the copy also vectors of 16 bytes, of which there are more than caches hold. */
const SIZES = { "multiply-add": 1 << 16, copy: 1 << 21 };
/** Multiply-adds of an invocation: rounds, multiply-adds of each, vectors and their lanes, as in multiply-add.wgsl. */
const MULTIPLY_ADDS = 512 * 8 * 4 * 4;
const REPEATS = 15;

async function fastest(device, name) {
  const code = await readFile(new URL(`../peak/${name}.wgsl`, import.meta.url), "utf8");
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffers = [0, 1].map(() => device.createBuffer({ size: 16 * SIZES[name], usage: GPUBufferUsage.STORAGE }));
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const groups = SIZES[name] / GROUP;
  const times = [];
  for (let i = 0; i < REPEATS; i++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535));
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    times.push((performance.now() - start) / 1000);
  }
  for (const buffer of buffers) buffer.destroy();
  return Math.min(...times);
}

/** @returns {Promise<{ flops: number, bytes: number }>} a second; the best of several runs, since it is a bound */
export async function measurePeak(adapter) {
  const device = await adapter.requestDevice();
  const flops = (2 * MULTIPLY_ADDS * SIZES["multiply-add"]) / (await fastest(device, "multiply-add"));
  const bytes = (2 * 16 * SIZES.copy) / (await fastest(device, "copy"));
  device.destroy();
  return { flops, bytes };
}
