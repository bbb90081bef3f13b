import { corruptFile, unsupportedFile } from "./errors.js";
import { decodeHostArray, elementCount, type HostArray, type StoredDtype, storedSize } from "./hostArray.js";
import { permuteHostArray } from "./permute.js";
import { type PathOrBytes, readAll } from "./source.js";

const MAGIC = "\x93NUMPY";

/** numpy's type codes without the byte order. */
const DTYPES: Readonly<Record<string, StoredDtype>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
};

/**
 * The array of a numpy `.npy` file (format versions 1 to 3), in row-major order; float16 becomes float32. Arrays of
 * objects are refused: they hold a pickle. Throws a TensorError: "unreadable-file", "unsupported-file" or "corrupt-file".
 */
export async function readNpy(pathOrBytes: PathOrBytes): Promise<HostArray> {
  const { name, bytes } = await readAll("readNpy", pathOrBytes);
  return parseNpy("readNpy", name, bytes);
}

/** As {@link readNpy}, from bytes; `reader` and `file` stand in messages. */
export function parseNpy(reader: string, file: string, bytes: Uint8Array): HostArray {
  const { text, dataBegin } = readHeader(reader, file, bytes);
  const { descr, fortran, shape } = parseHeader(reader, file, text);
  const dtype = DTYPES[descr.slice(1)];
  if (dtype === undefined) {
    const fix = "save it with one of numpy's number types, for example array.astype(numpy.float32)";
    throw unsupportedFile(reader, file, `its dtype ${descr} is not a supported number type`, fix);
  }
  const size = storedSize(dtype);
  const wanted = elementCount(shape) * size;
  const data = new Uint8Array(bytes.subarray(dataBegin));
  if (data.length !== wanted) {
    throw corruptFile(
      reader,
      file,
      `shape [${shape.join(", ")}] of ${descr} needs ${wanted} bytes of data, it has ${data.length}`,
    );
  }
  if (descr[0] === ">") swapBytes(data, size);
  if (!fortran) return decodeHostArray(dtype, shape, data.buffer);
  // First dimension fastest: row-major with the dimensions the other way round.
  const turned = decodeHostArray(dtype, [...shape].reverse(), data.buffer);
  return permuteHostArray(turned, shape.map((_, i) => i).reverse());
}

function readHeader(reader: string, file: string, bytes: Uint8Array): { text: string; dataBegin: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== MAGIC || bytes.length < 12) throw corruptFile(reader, file, "it does not start as a .npy file does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] as number;
  if (version < 1 || version > 3) {
    throw unsupportedFile(reader, file, `its format version is ${version}`, "save it with numpy.save");
  }
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) {
    throw corruptFile(reader, file, `its header is said to have ${length} bytes, but the file has ${bytes.length}`);
  }
  return { text: new TextDecoder().decode(bytes.subarray(start, start + length)), dataBegin: start + length };
}

/** The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. */
function parseHeader(reader: string, file: string, text: string): { descr: string; fortran: boolean; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined && /'descr'\s*:\s*\[/.test(text)) {
    throw unsupportedFile(reader, file, "it holds records with fields", "save each field as an array of its own");
  }
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw corruptFile(reader, file, `its header is ${JSON.stringify(text.trim().slice(0, 80))}`);
  }
  return { descr, fortran: fortran === "True", shape: (shape.match(/\d+/g) ?? []).map(Number) };
}

function swapBytes(data: Uint8Array, size: number): void {
  for (let at = 0; at < data.length; at += size) data.subarray(at, at + size).reverse();
}
