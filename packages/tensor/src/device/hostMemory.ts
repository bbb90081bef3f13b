import type { DeviceInfo } from "./adapter.js";
import { type MemoryRequest, outOfMemory } from "./errors.js";

/**
 * Throws `out-of-memory` if a software adapter, which uses the host's memory, is asked for more than is left. The
 * system would grant it, and end the process when it is used. `reusable` bytes are already held.
 */
export function checkHostMemory(info: DeviceInfo, request: MemoryRequest, reusable: number): void {
  if (!info.software || info.runtime !== "dawn-node") return;
  const left = process.availableMemory?.();
  if (left === undefined || request.byteLength <= left + reusable) return;
  const free = `${(left / 2 ** 20).toFixed(1)} MiB`;
  throw outOfMemory(request, `the software adapter uses the memory of the host, of which ${free} are left`);
}
