import { show } from "../../plain/errors.js";
import { copyStrided, rowMajorStrides, swapBytes } from "../arrays/dense.js";
import { decodeHostArray, elementCount, type HostArray, storedSize } from "../arrays/hostArray.js";
import { guessed } from "../content/otherFile.js";
import { corruptFile, type Place } from "../files/errors.js";
import { type PathOrBytes, withSource } from "../files/source.js";
import { type NpyHeader, readNpyHeader } from "./header.js";

/**
 * Reads a numpy `.npy` file (format versions 1 to 3; numpy.load) into a row-major array. float16 becomes float32.
 * Arrays of objects are refused, since they contain a pickle. Throws `unreadable-file`, `unsupported-file` or
 * `corrupt-file`.
 */
export async function readNpy(pathOrBytes: PathOrBytes): Promise<HostArray> {
  return withSource("readNpy", pathOrBytes, async (source) => {
    const header = await guessed(source, "a .npy file", () => readNpyHeader(source, source));
    checkDataSize(source, header, source.size);
    return decodeNpy(header, await source.read(header.dataBegin, source.size));
  });
}

/** Throws unless a file of `size` bytes holds exactly the values that the header describes. */
export function checkDataSize(at: Place, { dtype, shape, dataBegin }: NpyHeader, size: number): void {
  const wanted = elementCount(shape) * storedSize(dtype);
  if (size - dataBegin === wanted) return;
  const needed = `shape ${show(shape)} of ${dtype} needs ${wanted} bytes of data`;
  throw corruptFile(at, `${needed}, it has ${size - dataBegin}`);
}

/** The array in the data after a header. Takes ownership of the buffer. */
export function decodeNpy({ dtype, shape, bigEndian, fortran }: NpyHeader, bytes: ArrayBuffer): HostArray {
  const itemSize = storedSize(dtype);
  if (bigEndian) swapBytes(bytes, itemSize);
  return decodeHostArray(dtype, shape, fortran ? toRowMajor(shape, itemSize, bytes) : bytes);
}

function toRowMajor(shape: readonly number[], itemSize: number, bytes: ArrayBuffer): ArrayBuffer {
  const columnMajor = rowMajorStrides([...shape].reverse()).reverse();
  const out = new ArrayBuffer(bytes.byteLength);
  const target = { bytes: out, offset: 0, strides: rowMajorStrides(shape) };
  copyStrided(shape, itemSize, { bytes, offset: 0, strides: columnMajor }, target);
  return out;
}
