import type { SubgroupTraits } from "@fcn/kernels";
import { TensorError } from "../plain/errors.js";
import { isNode } from "../plain/node.js";
import { deviceLost } from "./errors.js";
import { isLoss, wasDeviceLost } from "./guarded.js";

export type AdapterChoice = "auto" | "hardware" | "software";

export interface AdapterOptions {
  readonly powerPreference?: "low-power" | "high-performance";
  /** Default "auto": the first adapter that WebGPU offers. */
  readonly adapter?: AdapterChoice;
}

/** @internal A WebGPU entry point. */
export interface Gpu {
  readonly entry: GPU;
  readonly runtime: DeviceInfo["runtime"];
}

/** A WebGPU adapter; `software` means that it computes on the CPU. Subgroup sizes are in invocations, 0 if unknown. */
export interface DeviceInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly software: boolean;
  readonly runtime: "browser" | "dawn-node";
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render|warp/i;
const NULL_BACKEND = /null backend/i;
/**
 * One Dawn instance for all devices, kept for the life of the process. Neither a device nor the timer that polls for
 * Dawn's replies keeps it alive, and a late reply to a collected instance would read freed memory.
 */
let dawn: GPU | undefined;
/** A variable, so that bundlers do not follow the import: the native module is for Node only. */
const NODE_PACKAGE = "webgpu";

/** @internal The browser's `navigator.gpu`, or in Node Dawn from the optional peer package `webgpu`. */
export async function findGpu(): Promise<Gpu> {
  const browser = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (browser) return { entry: browser, runtime: "browser" };
  if (!isNode()) {
    throw new TensorError({
      code: "no-webgpu",
      message: "this browser has no navigator.gpu",
      fix: "use a browser with WebGPU on a secure (https or localhost) page",
    });
  }
  let module: { create(flags: string[]): GPU };
  try {
    module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ NODE_PACKAGE)) as typeof module;
  } catch (cause) {
    throw new TensorError(
      {
        code: "no-webgpu",
        message: "Node has no WebGPU of its own and the package `webgpu` could not be loaded",
        fix: "npm install webgpu",
      },
      { cause },
    );
  }
  dawn ??= module.create([]);
  return { entry: dawn, runtime: "dawn-node" };
}

function describe(adapter: GPUAdapter, runtime: DeviceInfo["runtime"]): DeviceInfo {
  const info = adapter.info as GPUAdapterInfo & { isFallbackAdapter?: boolean };
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: info.isFallbackAdapter === true || SOFTWARE.test(text),
    runtime,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
  };
}

type Call<T> = () => T;

let around = <T>(call: Call<T>): T => call();

/**
 * @internal Has `wrap` run each request for an adapter. Dawn looks for adapters, and prints what it and drivers say of
 * them, before the call returns its promise.
 */
export function wrapAdapterRequests(wrap: <T>(call: Call<T>) => T): void {
  around = wrap;
}

/**
 * On Wayland, a Mesa layer prints an error line per call unless XDG_RUNTIME_DIR is set. It is unset again afterwards,
 * since child processes inherit it.
 */
async function requestQuietly(gpu: Gpu, options: GPURequestAdapterOptions): Promise<GPUAdapter | null> {
  const request = (): Promise<GPUAdapter | null> => around(() => gpu.entry.requestAdapter(options));
  if (gpu.runtime !== "dawn-node" || process.env.XDG_RUNTIME_DIR !== undefined) return request();
  process.env.XDG_RUNTIME_DIR = process.env.TMPDIR ?? "/tmp";
  try {
    return await request();
  } finally {
    delete process.env.XDG_RUNTIME_DIR;
  }
}

/** Milliseconds between attempts to get the GPU back from a browser that has lost it: two seconds in all. */
const PATIENCE_MS = [50, 150, 300, 500, 1000];

/** The adapters for these options. After a loss, a browser has none until it has started a new GPU process. */
async function patientCandidates(gpu: Gpu, options: AdapterOptions): ReturnType<typeof candidates> {
  let found = await candidates(gpu, options);
  if (gpu.runtime !== "browser" || !wasDeviceLost()) return found;
  for (const ms of PATIENCE_MS) {
    if (found.length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, ms));
    found = await candidates(gpu, options);
  }
  return found;
}

async function candidates(gpu: Gpu, options: AdapterOptions): Promise<{ adapter: GPUAdapter; info: DeviceInfo }[]> {
  const power = options.powerPreference ? { powerPreference: options.powerPreference } : {};
  const found = [];
  for (const forceFallbackAdapter of options.adapter === "software" ? [true, false] : [false]) {
    const adapter = await requestQuietly(gpu, { ...power, forceFallbackAdapter }).catch(noAdapter);
    if (!adapter) continue;
    const info = describe(adapter, gpu.runtime);
    if (!NULL_BACKEND.test(`${info.device} ${info.description}`)) found.push({ adapter, info });
  }
  return found;
}

/** @internal The adapter that the options ask for, except Dawn's Null backend, which computes nothing. */
export async function findAdapter(
  gpu: Gpu,
  options: AdapterOptions,
): Promise<{ adapter: GPUAdapter; info: DeviceInfo }> {
  const choice = options.adapter ?? "auto";
  const found = await patientCandidates(gpu, options);
  const match = found.find(({ info }) => choice === "auto" || info.software === (choice === "software"));
  if (match) return match;
  if (found.length === 0 && wasDeviceLost())
    throw deviceLost("it was lost before, and the system has not brought it back");
  const seen = found.map(({ info }) => info.description || info.device).join(", ") || "none";
  throw new TensorError({
    code: "no-adapter",
    message: `createDevice: no ${choice === "auto" ? "" : `${choice} `}WebGPU adapter (adapters found: ${seen})`,
    fix: "run `npx fcn doctor`, which names the driver that this system lacks and the command that installs it",
  });
}

/** What this machine offers, without creating a device. `fcn doctor` shows it. */
export interface AdapterReport {
  readonly runtime: DeviceInfo["runtime"];
  readonly adapters: readonly {
    readonly info: DeviceInfo;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
  }[];
}

/** Lists the adapters that `createDevice` chooses from. Throws `no-webgpu` if there is no WebGPU. */
export async function probeAdapters(): Promise<AdapterReport> {
  const gpu = await findGpu();
  const found = await candidates(gpu, {});
  return {
    runtime: gpu.runtime,
    adapters: found.map(({ adapter, info }) => ({
      info,
      features: [...adapter.features].sort(),
      limits: readLimits(adapter.limits),
    })),
  };
}

/** @internal */
export function readLimits(limits: GPUSupportedLimits): Record<string, number> {
  const record: Record<string, number> = {};
  for (const key in limits) {
    const value = (limits as unknown as Record<string, unknown>)[key];
    if (typeof value === "number") record[key] = value;
  }
  return record;
}

function noAdapter(error: Error): never {
  if (isLoss(error)) throw deviceLost(error.message);
  throw new TensorError(
    {
      code: "no-adapter",
      message: `createDevice: the system refused a GPU: ${error.message}`,
      fix: "run `npx fcn doctor`, which names what this system lacks; in a browser reload the page, or restart the browser",
    },
    { cause: error },
  );
}

const SUBGROUPS = "subgroups" as GPUFeatureName;
/** The feature with which a kernel may ask for subgroups of a size. */
const SIZE_CONTROL = "subgroup-size-control" as GPUFeatureName;

/** @internal What kernels of a device may do with the subgroups of its adapter. */
export function subgroupsOf({ features }: GPUDevice, { subgroupMinSize, subgroupMaxSize }: DeviceInfo): SubgroupTraits {
  if (!features.has(SUBGROUPS)) return { subgroupMinSize: 0, subgroupMaxSize: 0, canAsk: false };
  return { subgroupMinSize, subgroupMaxSize, canAsk: features.has(SIZE_CONTROL) };
}

/** @internal The feature with which kernels may read and write halves. */
export const HALVES = "shader-f16" as GPUFeatureName;

/**
 * @internal A device of the adapter, with subgroups and halves if it has them and they are wanted, and with its limits
 * unless `raised` is false.
 */
export function requestDevice(
  adapter: GPUAdapter,
  { subgroups, float16, raised }: { subgroups: boolean; float16: boolean; raised: boolean },
): Promise<GPUDevice> {
  const wanted = [...(subgroups ? [SUBGROUPS, SIZE_CONTROL] : []), ...(float16 ? [HALVES] : [])];
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const descriptor = {
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: raised ? { maxStorageBufferBindingSize, maxBufferSize } : {},
  };
  return adapter.requestDevice(descriptor).catch(noAdapter);
}
