import { type Capabilities, classOf, type Lanes, lanesOf, type Tuning, type Variant } from "@fcn/kernels";
import { type DeviceInfo, subgroupsOf } from "./adapter.js";
import { largestBlock } from "./memory.js";

export interface CapabilityOptions {
  /** The largest binding to use, to test operands in parts. Below the adapter's limit. */
  readonly bindingLimit: number | undefined;
  /** The largest buffer to use, to test tensors that need several. Below the adapter's limit. */
  readonly bufferLimit: number | undefined;
  /** Variants of kernels in place of those for the class of the adapter. */
  readonly variants: readonly Variant[] | undefined;
  /** Tiles that were measured on this adapter. */
  readonly tuning: Tuning | undefined;
}

/** What plans may assume about a device, the lanes that kernels ask for, and the size of the largest buffer. */
export function chosenFor(
  device: GPUDevice,
  info: DeviceInfo,
  options: CapabilityOptions,
): { readonly capabilities: Capabilities; readonly lanes: Lanes; readonly bufferLimit: number } {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const bufferLimit = Math.min(maxBufferSize, options.bufferLimit ?? maxBufferSize);
  // A binding must fit into one buffer, and is rounded up to whole vectors.
  const shown = Math.min(maxStorageBufferBindingSize, options.bindingLimit ?? maxStorageBufferBindingSize);
  const adapter = classOf(info);
  const lanes = lanesOf(subgroupsOf(device, info), adapter);
  const capabilities = {
    subgroupSize: lanes.shared,
    variants: options.variants ?? adapter.variants,
    keepsLoops: adapter.keepsLoops,
    tallest: adapter.tallest,
    bindingLimit: Math.min(Math.floor(shown / 16) * 16, largestBlock(bufferLimit)),
    parallelism: info.software ? 32 : 1024,
    tuning: options.tuning,
  };
  return { capabilities, lanes, bufferLimit };
}
