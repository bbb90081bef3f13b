import type { Tuning } from "@fcn/kernels";
import { type AdapterOptions, type DeviceInfo, findAdapter, findGpu, requestDevice } from "./device/adapter.js";
import { Engine } from "./device/engine.js";
import { Simulation } from "./device/simulate.js";
import { Device } from "./device.js";
import { checkOptions } from "./plain/options.js";
import { boolean, checkedInUse, from, number, oneOf, type RulesOf } from "./plain/rules.js";

export interface DeviceOptions extends AdapterOptions {
  /** `adapter` (default) raises the limits to the adapter's; `default` keeps the WebGPU default limits. */
  readonly limits?: "adapter" | "default";
  /** Bytes of free GPU memory kept for reuse. Default 1 GiB. */
  readonly poolBytes?: number;
  /** Use of the subgroups feature where the adapter has it. Default true. */
  readonly subgroups?: boolean;
  /** Bytes that one binding may show, at most the adapter's limit. Smaller values make ops run over smaller windows. */
  readonly bindingLimit?: number;
  /** @internal Bytes of one buffer, at most the adapter's limit. Larger tensors lie in several. */
  readonly bufferLimit?: number;
  /** Tiles that `device.tune` found on this adapter, or where to find them. */
  readonly tuning?: Tuning | ((info: DeviceInfo) => Tuning | undefined | Promise<Tuning | undefined>);
  /** Do not print the notice that a software adapter is in use. */
  readonly quiet?: boolean;
  readonly debug?: {
    /** Test every float result for NaN and infinity; the next read throws an error that names the op. */
    readonly nanCheck?: boolean;
    /** Fill every buffer with NaN before it is used. */
    readonly poison?: boolean;
  };
}

/** Kernels cut their operands into no less than this. */
const limit = number("a whole number of bytes from 1024 on", (bytes) => Number.isInteger(bytes) && bytes >= 1024);

const OPTIONS: RulesOf<DeviceOptions> = {
  powerPreference: oneOf("low-power", "high-performance"),
  adapter: oneOf("auto", "hardware", "software"),
  limits: oneOf("adapter", "default"),
  poolBytes: from(0),
  subgroups: boolean,
  bindingLimit: limit,
  bufferLimit: limit,
  tuning: checkedInUse,
  quiet: boolean,
  debug: checkedInUse,
};

const DEFAULT_POOL = 1024 ** 3;
let announced = false;

/**
 * Opens a GPU: the browser's WebGPU, or Dawn from the package `webgpu` in Node. Throws a TensorError with code
 * `no-webgpu` or `no-adapter`. A software adapter is announced once on the console.
 *
 * Where the GPU is lost later (a driver that restarts, a browser whose GPU process ends, a GPUDevice that is destroyed)
 * every pending and later call fails with code `device-lost`, and `device.lost` resolves; then open a new device. In a
 * browser that has lost one this waits up to two seconds for the GPU to come back.
 *
 * In a worker thread of Node: do not end the thread with `worker.terminate()` while a read or `sync()` is pending
 * there, since Dawn then aborts the whole process. Ask the thread by message to finish, let it await its reads, call
 * `device.destroy()` and return; it then ends by itself.
 */
export async function createDevice(options: DeviceOptions = {}): Promise<Device> {
  checkOptions<DeviceOptions>("createDevice", options, OPTIONS);
  if (options.debug) checkOptions("createDevice: debug", options.debug, { nanCheck: boolean, poison: boolean });
  const simulation = Simulation.fromEnvironment();
  const gpu = await findGpu();
  const { adapter, info } = await findAdapter(gpu, options);
  const tuning = typeof options.tuning === "function" ? await options.tuning(info) : options.tuning;
  const handle = await requestDevice(adapter, {
    subgroups: options.subgroups !== false,
    raised: options.limits !== "default",
  });
  if (info.software && !options.quiet && !announced) {
    announced = true;
    console.warn(`fcn: no GPU in use; running on the software adapter ${info.description || info.device}`);
  }
  const engine = new Engine(handle, info, {
    poolBytes: options.poolBytes ?? DEFAULT_POOL,
    nanCheck: options.debug?.nanCheck ?? false,
    poison: options.debug?.poison ?? false,
    bindingLimit: options.bindingLimit,
    bufferLimit: options.bufferLimit,
    tuning,
    simulation,
  });
  return Device.on(engine);
}
