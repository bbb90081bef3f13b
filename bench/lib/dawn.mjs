/**
 * Dawn in Node: the adapter that every side of the bench runs on.
 */
import { create, globals } from "webgpu";

/**
 * Assigns Dawn's globals (GPUBufferUsage, GPUMapMode, ...) and defines `navigator` as `{ gpu, userAgent }`, which is
 * all that libraries written for browsers ask for. The caller must hold the result for as long as any device lives:
 * Dawn hangs the process when the GPU object is collected.
 *
 * @returns {Promise<{ gpu: GPU, adapter: GPUAdapter, info: Record<string, string> }>}
 * @throws Error when Dawn finds no adapter.
 */
export async function openDawn() {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu, userAgent: `Node ${process.versions.node}` },
    configurable: true,
    writable: true,
  });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("Dawn finds no adapter; run `npm run setup`, which says what is missing");
  return { gpu, adapter, info: describeAdapter(adapter) };
}

/** The fields of an adapter's info that a reader of the figures needs, as plain data. */
function describeAdapter(adapter) {
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  return { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize };
}
