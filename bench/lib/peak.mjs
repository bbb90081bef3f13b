/** What an adapter can do at best: multiply-adds and bytes a second, measured with two kernels of a few lines. */
import { readFile } from "node:fs/promises";

const GROUP = 64;
/** Multiply-adds of an invocation: rounds, multiply-adds of each, vectors and their lanes, as in multiply-add.wgsl. */
const MULTIPLY_ADDS = 512 * 8 * 4 * 4;
const MIB = 2 ** 20;
/** Invocations of the first, and bytes of a buffer of the second, of which there are more than caches hold. */
const SOFTWARE = { invocations: 2 ** 16, bytes: 32 * MIB };
const HARDWARE = { invocations: 2 ** 20, bytes: 512 * MIB };

/** Seconds of a kernel on two buffers of vectors, one for each invocation. */
async function fastest(raw, name, invocations) {
  const pipeline = await raw.pipeline(await readFile(new URL(`../peak/${name}.wgsl`, import.meta.url), "utf8"));
  const buffers = [0, 1].map(() => ({ buffer: raw.buffer(16 * invocations) }));
  const bound = raw.bind(pipeline, buffers);
  const groups = Math.ceil(invocations / GROUP);
  const ms = await raw.measure((pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bound);
    pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535));
  });
  raw.free();
  return ms / 1000;
}

/**
 * @param {Awaited<ReturnType<typeof import("./raw.mjs").openRaw>>} raw the device to measure
 * @param {boolean} software whether it is the processor
 * @returns {Promise<{ flops: number, bytes: number }>} a second; the best of several rounds, since it is a bound
 */
export async function measurePeak(raw, software) {
  const { invocations, bytes } = software ? SOFTWARE : HARDWARE;
  const size = Math.min(bytes, raw.bindingLimit);
  return {
    flops: (2 * MULTIPLY_ADDS * invocations) / (await fastest(raw, "multiply-add", invocations)),
    bytes: (2 * size) / (await fastest(raw, "copy", size / 16)),
  };
}
