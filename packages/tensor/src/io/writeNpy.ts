import { TensorError } from "../device/errors.js";
import { elementCount, type HostArray, type HostDtype, storedSize } from "./hostArray.js";
import { writeWhole } from "./writeWhole.js";

/** numpy's type codes, values little-endian. */
const DESCR: Readonly<Record<HostDtype, string>> = {
  float64: "<f8",
  float32: "<f4",
  int64: "<i8",
  int32: "<i4",
  int16: "<i2",
  int8: "|i1",
  uint64: "<u8",
  uint32: "<u4",
  uint16: "<u2",
  uint8: "|u1",
  bool: "|b1",
};

/** Writes an array as numpy.save does (Node). The file appears under its name when it is complete. */
export async function writeNpy(path: string | URL, array: HostArray): Promise<void> {
  await writeWhole("writeNpy", path, pieces(array));
}

/** The bytes of a `.npy` file, for where there is no file system. */
export async function encodeNpy(array: HostArray): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  for await (const piece of pieces(array)) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function* pieces(array: HostArray): AsyncGenerator<Uint8Array> {
  yield encodeHeader(array);
  const { data } = array;
  yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Format version 1.0, padded so that the data starts at a multiple of 64. */
function encodeHeader({ dtype, shape, data }: HostArray): Uint8Array {
  const wanted = elementCount(shape) * storedSize(dtype);
  if (data.byteLength !== wanted) {
    throw new TensorError({
      code: "invalid-argument",
      message: `writeNpy: shape [${shape.join(", ")}] of ${dtype} needs ${wanted} bytes, its data has ${data.byteLength}`,
      fix: "pass { dtype, shape, data } that agree",
    });
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const literal = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(literal), 10);
  bytes[length - 1] = 0x0a;
  return bytes;
}
