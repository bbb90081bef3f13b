import type { Tuning, Variant } from "@fcn/kernels";
import {
  type AdapterOptions,
  type DeviceInfo,
  findAdapter,
  findGpu,
  type Gpu,
  requestDevice,
} from "./device/adapter.js";
import { Engine, type EngineOptions } from "./device/engine.js";
import type { Simulation } from "./device/simulate.js";
import { Device } from "./device.js";
import { isNode } from "./plain/node.js";
import { checkOptions } from "./plain/options.js";
import { boolean, checkedInUse, from, listOf, number, oneOf, type RulesOf } from "./plain/rules.js";
import type { BackgroundTuning } from "./tuning/beside.js";

export interface DeviceOptions extends AdapterOptions {
  /** `adapter` (default) raises the limits to those of the adapter; `default` keeps WebGPU's default limits. */
  readonly limits?: "adapter" | "default";
  /** Bytes of free GPU memory to keep for reuse. Default 1 GiB. */
  readonly poolBytes?: number;
  /** Use subgroups if the adapter has them. Default true. */
  readonly subgroups?: boolean;
  /** Offer dtype float16 if the adapter has `shader-f16`. Default true. */
  readonly float16?: boolean;
  /** Variants of kernels to use, best first. Default: those that fit the class of the adapter. */
  readonly variants?: readonly Variant[];
  /** Bytes of the largest binding to use, at most the adapter's limit. With less, ops work on smaller parts. */
  readonly bindingLimit?: number;
  /**
   * @internal Bytes of the largest buffer to use, at most the adapter's limit. Larger tensors are split over several.
   */
  readonly bufferLimit?: number;
  /** Tiles that `device.tune` found on this adapter, or a function that looks them up. */
  readonly tuning?: Tuning | ((info: DeviceInfo) => Tuning | undefined | Promise<Tuning | undefined>);
  /**
   * `auto` measures which tiles are fastest for the convolutions and matrix products that the device runs, each once
   * for an adapter (Node). It measures on a GPUDevice of its own, for a few milliseconds whenever `data()`, `sync()` or
   * the end of a scope has waited for all work, and takes at most a quarter of `poolBytes` of memory, which `memory()`
   * does not count. Results go into the file of `savedTuning`, which is read unless `tuning` is given: the device goes
   * on with the tiles that it began with, and the next one has the new ones. Default `off`.
   */
  readonly tune?: "auto" | "off";
  /** Do not warn on the console that a software adapter is in use. */
  readonly quiet?: boolean;
  readonly debug?: {
    /** Check every float result for NaN and infinity; the next read throws an error that names the op. */
    readonly nanCheck?: boolean;
    /** Fill every buffer with NaN before it is used, to expose reads of uninitialised memory. */
    readonly poison?: boolean;
  };
}

/** The kernels cannot work with bindings smaller than this. */
const limit = number("a whole number of bytes from 1024 on", (bytes) => Number.isInteger(bytes) && bytes >= 1024);

const OPTIONS: RulesOf<DeviceOptions> = {
  powerPreference: oneOf("low-power", "high-performance"),
  adapter: oneOf("auto", "hardware", "software"),
  limits: oneOf("adapter", "default"),
  poolBytes: from(0),
  subgroups: boolean,
  float16: boolean,
  variants: listOf("a list of variants", oneOf("winograd", "subgroup", "workgroup", "register")),
  bindingLimit: limit,
  bufferLimit: limit,
  tuning: checkedInUse,
  tune: oneOf("auto", "off"),
  quiet: boolean,
  debug: checkedInUse,
};

const DEFAULT_POOL = 1024 ** 3;
let announced = false;

/**
 * Opens a GPU: the browser's WebGPU or, in Node, Dawn from the package `webgpu`. Throws `no-webgpu` or `no-adapter`.
 * Warns once on the console if only a software adapter is found.
 *
 * If the GPU is lost later (the driver restarts, the browser's GPU process ends, or the GPUDevice is destroyed), every
 * pending and later call fails with `device-lost` and `device.lost` resolves; open a new device then. In a browser that
 * has lost one, this waits up to two seconds for the GPU to come back.
 *
 * In a worker thread of Node, do not call `worker.terminate()` while a read or `sync()` is pending there: Dawn would
 * abort the whole process. Send the thread a message instead, and let it await its reads, call `device.destroy()` and
 * return.
 *
 * @example
 * ```ts
 * import { createDevice } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const x = device.tensor([[1, 2], [3, 4]]);
 * console.log(device.info.description, x.shape, await x.array());
 * device.destroy();
 * ```
 */
export async function createDevice(options: DeviceOptions = {}): Promise<Device> {
  checkOptions<DeviceOptions>("createDevice", options, OPTIONS);
  if (options.debug) checkOptions("createDevice: debug", options.debug, { nanCheck: boolean, poison: boolean });
  const simulation = await simulated();
  const gpu = await findGpu();
  const found = await findAdapter(gpu, options);
  const { info } = found;
  const beside = options.tune === "auto" ? await tuningBeside(info) : undefined;
  const tuning = typeof options.tuning === "function" ? await options.tuning(info) : options.tuning;
  const engine = await openEngine(found, options, { tuning: tuning ?? beside?.known.tiles, simulation });
  if (info.software && !options.quiet && !announced) {
    announced = true;
    console.warn(`fcn: no GPU in use; running on the software adapter ${info.description || info.device}`);
  }
  const device = Device.on(engine);
  if (beside) device.runtime.tuneBeside(beside.tuner(options.poolBytes ?? DEFAULT_POOL, () => openBench(gpu, options)));
  return device;
}

async function openEngine(
  { adapter, info }: Awaited<ReturnType<typeof findAdapter>>,
  options: DeviceOptions,
  special: Partial<EngineOptions>,
): Promise<Engine> {
  const handle = await requestDevice(adapter, {
    subgroups: options.subgroups !== false,
    float16: options.float16 !== false,
    raised: options.limits !== "default",
  });
  return new Engine(handle, info, {
    poolBytes: options.poolBytes ?? DEFAULT_POOL,
    nanCheck: options.debug?.nanCheck ?? false,
    poison: options.debug?.poison ?? false,
    bindingLimit: options.bindingLimit,
    bufferLimit: options.bufferLimit,
    variants: options.variants,
    tuning: undefined,
    simulation: undefined,
    ...special,
  });
}

/** A device of its own to measure on, since an adapter gives one device only. */
const openBench = async (gpu: Gpu, options: DeviceOptions): Promise<Engine> =>
  openEngine(await findAdapter(gpu, options), options, { nanCheck: false, poison: false });

// What only Node has is loaded there alone, so that no page carries it.

async function simulated(): Promise<Simulation | undefined> {
  if (!isNode() || !process.env.FCN_SIMULATE) return undefined;
  const { Simulation } = await import("./device/simulate.js");
  return Simulation.fromEnvironment();
}

/** What measures tiles beside the work; undefined where nothing can be kept, and so nothing is measured. */
async function tuningBeside(info: DeviceInfo): Promise<BackgroundTuning | undefined> {
  if (isNode()) return (await import("./tuning/beside.js")).backgroundTuning(info);
  console.warn('fcn: createDevice({ tune: "auto" }) measures in Node only; a page has no file to keep it');
  return undefined;
}
