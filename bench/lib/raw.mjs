/** A WebGPU device without the library around it, which runs pipelines and plans many times and measures the GPU. */
import { askedLanes, classOf, lanesOf, packParams, parseKernel, specialize } from "@fcn/kernels";
import { create, globals } from "webgpu";

/** A measurement runs at least this long, in ms: browsers and drivers round their clocks to a tenth of one. */
const ENOUGH = 10;
const MOST_RUNS = 2000;
const UNIFORM_ALIGNMENT = 256;

/** Fills a buffer with numbers in [-1, 1), none of which is small enough to slow a processor down. */
const FILL = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i < arrayLength(&y)) { y[i] = f32((i * 2654435761u) >> 8u) / 8388608.0 - 1.0; }
}`;

/** Dawn must be held for as long as a device lives. */
let gpu;

/** The adapter that the library chooses unless it is told otherwise. */
export async function openAdapter() {
  Object.assign(globalThis, globals);
  gpu ??= create([]);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("Dawn finds no adapter; `npx fcn doctor` says what is missing");
  return adapter;
}

const [TIMESTAMPS, SUBGROUPS, SIZES] = ["timestamp-query", "subgroups", "subgroup-size-control"];

/** Opens a device with all that an adapter offers to kernels; `hasTimestamps` says how it measures. */
export async function openRaw(adapter) {
  adapter ??= await openAdapter();
  const wanted = [TIMESTAMPS, SUBGROUPS, SIZES].filter((name) => adapter.features.has(name));
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: wanted,
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  const { vendor, subgroupMinSize, subgroupMaxSize } = adapter.info;
  // The classes of GPUs ask for lanes; the software adapter, whose subgroups have one size, asks for none.
  const traits = { subgroupMinSize, subgroupMaxSize, canAsk: wanted.includes(SIZES) };
  return new Raw(device, wanted.includes(TIMESTAMPS), lanesOf(traits, classOf({ vendor, software: false })));
}

class Raw {
  #buffers = [];
  #queries;
  #failure;

  constructor(device, hasTimestamps, lanes) {
    this.device = device;
    this.lanes = lanes;
    this.hasTimestamps = hasTimestamps;
    if (hasTimestamps) this.#queries = device.createQuerySet({ type: "timestamp", count: 2 });
    device.addEventListener("uncapturederror", ({ error }) => (this.#failure ??= error.message));
    device.lost.then(({ message }) => (this.#failure ??= `the device was lost: ${message}`));
  }

  /** A buffer that lives until `free` is called. */
  buffer(size, usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST) {
    const buffer = this.device.createBuffer({ size: Math.max(256, Math.ceil(size / 256) * 256), usage });
    this.#buffers.push(buffer);
    return buffer;
  }

  free() {
    for (const buffer of this.#buffers.splice(0)) buffer.destroy();
  }

  async pipeline(code, layout = "auto") {
    const module = this.device.createShaderModule({ code });
    return await this.device.createComputePipelineAsync({ layout, compute: { module, entryPoint: "main" } });
  }

  bind(pipeline, resources) {
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  /** Numbers that are not zero in each buffer. */
  async fill(buffers) {
    const pipeline = await this.pipeline(FILL);
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (const buffer of buffers) {
      const groups = Math.ceil(buffer.size / 4 / 256);
      pass.setBindGroup(0, this.bind(pipeline, [{ buffer, size: Math.min(buffer.size, this.bindingLimit) }]));
      pass.dispatchWorkgroups(Math.min(groups, 65535), Math.ceil(groups / 65535));
    }
    pass.end();
    this.device.queue.submit([encoder.finish()]);
    await this.device.queue.onSubmittedWorkDone();
  }

  get bindingLimit() {
    return this.device.limits.maxStorageBufferBindingSize;
  }

  /** Milliseconds of `runs` repetitions in one pass, by the GPU's clock where it has one. */
  async #time(record, runs) {
    const { device } = this;
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet: this.#queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const pass = encoder.beginComputePass(this.hasTimestamps ? { timestampWrites } : {});
    for (let i = 0; i < runs; i++) record(pass);
    pass.end();
    const start = performance.now();
    const stamps = this.hasTimestamps ? this.#readStamps(encoder) : async () => Number.NaN;
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const waited = performance.now() - start;
    const ms = await stamps();
    if (this.#failure) throw new Error(this.#failure);
    // Clocks that stand still or run backwards are of no use.
    return ms > 0 && ms <= waited ? ms : waited;
  }

  /** Encodes that the stamps are copied, and returns what reads the milliseconds between them. */
  #readStamps(encoder) {
    const { device } = this;
    const resolved = device.createBuffer({ size: 256, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const read = device.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.resolveQuerySet(this.#queries, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
    return async () => {
      await read.mapAsync(GPUMapMode.READ);
      const [begin, end] = new BigUint64Array(read.getMappedRange(0, 16));
      read.destroy();
      resolved.destroy();
      return Number(end - begin) / 1e6;
    };
  }

  /**
   * Milliseconds of what `record` puts into a pass: the shortest of `rounds` rounds, each of as many repetitions as
   * take long enough to be measured. A first run, which may compile, is not counted.
   */
  async measure(record, rounds = 3) {
    await this.#time(record, 1);
    const once = Math.max(await this.#time(record, 1), 1e-3);
    const runs = Math.min(MOST_RUNS, Math.max(1, Math.ceil(ENOUGH / once)));
    let best = once;
    for (let i = 0; i < rounds && (i === 0 || once < 1000); i++)
      best = Math.min(best, (await this.#time(record, runs)) / runs);
    return best;
  }

  /**
   * A plan as a function that records its steps in a pass. Operands and scratch are new buffers, filled with numbers;
   * `sizes` gives the operands' bytes.
   */
  async plan(plan, sizes) {
    const named = new Map();
    const bufferOf = (name, bytes) => {
      if (!named.has(name)) named.set(name, this.buffer(bytes));
      return named.get(name);
    };
    const bytesOf = (name) => sizes[name] ?? plan.scratch?.[name];
    for (const name of [...Object.keys(sizes), ...Object.keys(plan.scratch ?? {})]) bufferOf(name, bytesOf(name));
    await this.fill([...named.values()]);
    const resource = (binding) => {
      if (typeof binding === "string") return { buffer: bufferOf(binding, bytesOf(binding)) };
      if ("operand" in binding) {
        const buffer = bufferOf(binding.operand, bytesOf(binding.operand));
        return { buffer, offset: binding.byteOffset, size: binding.byteLength };
      }
      return { buffer: bufferOf("dummy" in binding ? `dummy ${binding.dummy}` : "fault", 256) };
    };
    const steps = [];
    for (const step of plan.steps) {
      const info = parseKernel(step.kernel);
      const entries = [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
        ...info.bindings.map(({ access }, i) => ({
          binding: i + 1,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === "read" ? "read-only-storage" : "storage" },
        })),
      ];
      const layout = this.device.createPipelineLayout({
        bindGroupLayouts: [this.device.createBindGroupLayout({ entries })],
      });
      const pipeline = await this.pipeline(
        specialize(info, step.constants ?? {}, askedLanes(info, this.lanes)),
        layout,
      );
      const params = new ArrayBuffer(Math.max(UNIFORM_ALIGNMENT, info.paramsBytes));
      packParams(info, step.params, new DataView(params), 0);
      const uniform = this.buffer(params.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      this.device.queue.writeBuffer(uniform, 0, params);
      const storage = info.bindings.map(({ name }) => resource(step.operands[name]));
      steps.push({ pipeline, group: this.bind(pipeline, [{ buffer: uniform }, ...storage]), grid: step.grid });
    }
    return (pass) => {
      for (const { pipeline, group, grid } of steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...grid);
      }
    };
  }

  close() {
    this.free();
    this.#queries?.destroy();
    this.device.destroy();
  }
}
