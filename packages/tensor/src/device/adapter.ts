import type { SubgroupTraits } from "@fcn/kernels";
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
  readonly runtime: DeviceInfo["runtime"];
  requestAdapter(options: GPURequestAdapterOptions): Promise<GPUAdapter | null>;
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
/** @internal The browser's `navigator.gpu`, or in Node Dawn from the optional peer package `webgpu`. */
export async function findGpu(): Promise<Gpu> {
  const browser = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (browser) return { runtime: "browser", requestAdapter: (options) => browser.requestAdapter(options) };
  // What only Node has, and words for who has no WebGPU, are loaded there alone.
  if (isNode()) return (await import("./dawn.js")).openDawn();
  throw (await import("./absent.js")).noNavigatorGpu();
}

function describe(adapter: GPUAdapter, runtime: DeviceInfo["runtime"]): DeviceInfo {
  // Browsers may leave any of it out.
  const info: Partial<GPUAdapterInfo> = adapter.info ?? {};
  const { vendor = "", architecture = "", device = "", description = "" } = info;
  return {
    vendor,
    architecture,
    device,
    description,
    software: info.isFallbackAdapter === true || SOFTWARE.test(`${vendor} ${architecture} ${device} ${description}`),
    runtime,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
  };
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
    const adapter = await gpu.requestAdapter({ ...power, forceFallbackAdapter }).catch(refused);
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
  throw (await import("./absent.js")).noAdapter(choice, found);
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

async function refused(error: Error): Promise<never> {
  if (isLoss(error)) throw deviceLost(error.message);
  throw (await import("./absent.js")).refusedGpu(error);
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
  return adapter.requestDevice(descriptor).catch(refused);
}
