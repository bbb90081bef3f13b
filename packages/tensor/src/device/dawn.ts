import { TensorError } from "../plain/errors.js";
import type { Gpu } from "./adapter.js";
import { wrapped } from "./requests.js";

/**
 * One Dawn instance for all devices, kept for the life of the process. Neither a device nor the timer that polls for
 * Dawn's replies keeps it alive, and a late reply to a collected instance would read freed memory.
 */
let dawn: GPU | undefined;
/** A variable, so that bundlers do not follow the import: the native module is for Node only. */
const NODE_PACKAGE = "webgpu";

/** Dawn from the optional peer package `webgpu`. Throws `no-webgpu` without it. */
export async function openDawn(): Promise<Gpu> {
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
  const entry = dawn ?? module.create([]);
  dawn = entry;
  return { runtime: "dawn-node", requestAdapter: (options) => requestQuietly(entry, options) };
}

/**
 * On Wayland, a Mesa layer prints an error line per call unless XDG_RUNTIME_DIR is set. It is unset again afterwards,
 * since child processes inherit it.
 */
async function requestQuietly(entry: GPU, options: GPURequestAdapterOptions): Promise<GPUAdapter | null> {
  const request = (): Promise<GPUAdapter | null> => wrapped(() => entry.requestAdapter(options));
  if (process.env.XDG_RUNTIME_DIR !== undefined) return request();
  process.env.XDG_RUNTIME_DIR = process.env.TMPDIR ?? "/tmp";
  try {
    return await request();
  } finally {
    delete process.env.XDG_RUNTIME_DIR;
  }
}
