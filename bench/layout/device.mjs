/**
 * What the layout benchmark asks of WebGPU: buffers, a kernel with constants replaced, timed dispatches, reading back.
 */
import { readFile } from "node:fs/promises";

/** A device with subgroups where the adapter has one fixed size, and that size (0 where it has not). */
export async function openDevice({ adapter, info }) {
  const fixed = adapter.features.has("subgroups") && info.subgroupMinSize === info.subgroupMaxSize;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: fixed ? ["subgroups"] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  return { device, subgroupSize: fixed ? info.subgroupMaxSize : 0 };
}

/** A storage buffer of at least 16 bytes that begins with `data`. */
export function upload(device, data) {
  const buffer = device.createBuffer({
    size: Math.max(16, Math.ceil(data.byteLength / 16) * 16),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** The contents of a buffer as float32. */
export async function download(device, buffer) {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return data;
}

const literal = (value, type) => (type === "u32" ? `${value}u` : `${value}`);

/** The text of `<name>.wgsl` with named constants replaced. Throws on a name that the file does not declare. */
export async function kernelSource(name, constants) {
  let source = await readFile(new URL(`${name}.wgsl`, import.meta.url), "utf8");
  for (const [id, value] of Object.entries(constants)) {
    const line = new RegExp(`^const ${id}: (u32|bool) = [^;]+;`, "m");
    if (!line.test(source)) throw new Error(`kernel ${name} has no constant ${id}`);
    source = source.replace(line, (_, type) => `const ${id}: ${type} = ${literal(value, type)};`);
  }
  return source;
}

/**
 * Compiles a kernel and binds its buffers, in order from binding 0.
 *
 * @returns {Promise<() => Promise<void>>} one dispatch, finished when the promise resolves
 */
export async function prepare(device, { kernel, constants, grid }, buffers) {
  const module = device.createShaderModule({ code: await kernelSource(kernel, constants) });
  const { messages } = await module.getCompilationInfo();
  const wrong = messages.find((message) => message.type === "error");
  if (wrong) throw new Error(`kernel ${kernel}, line ${wrong.lineNum}: ${wrong.message}`);
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return async () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...grid);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
}
