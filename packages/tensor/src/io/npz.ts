import type { HostArray } from "./hostArray.js";
import { parseNpy } from "./npy.js";
import { type PathOrBytes, readAll } from "./source.js";
import { readZip } from "./zip.js";

/**
 * The arrays of a numpy `.npz` file by name (numpy.savez and savez_compressed), as {@link readNpy} gives them. Throws a
 * TensorError: "unreadable-file", "unsupported-file" or "corrupt-file".
 */
export async function readNpz(pathOrBytes: PathOrBytes): Promise<Record<string, HostArray>> {
  const { name: file, bytes } = await readAll("readNpz", pathOrBytes);
  const arrays: [string, HostArray][] = [];
  for (const entry of readZip("readNpz", file, bytes)) {
    const name = entry.name.replace(/\.npy$/, "");
    arrays.push([name, parseNpy("readNpz", `${file}, entry ${entry.name}`, await entry.data())]);
  }
  return Object.fromEntries(arrays);
}
