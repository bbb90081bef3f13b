import { brief } from "../../plain/errors.js";
import { type HostDtype, isShape, type StoredDtype } from "../arrays/hostArray.js";
import { corruptFile, type Place, unsupportedFile } from "../files/errors.js";
import type { Source } from "../files/source.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

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
const CODES = Object.fromEntries(Object.entries(DTYPES).map(([code, dtype]) => [dtype, code]));

/** numpy's own limit is 10,000 bytes. */
const MAX_HEADER = 2 ** 16;

export interface NpyHeader {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  /** Whether the first dimension varies fastest. */
  readonly fortran: boolean;
  readonly dataBegin: number;
}

/** Whether a `.npy` file starts like this. */
export const isNpy = (start: Uint8Array): boolean => MAGIC.every((byte, i) => start[i] === byte);

/** Reads the header of a `.npy` file, format versions 1 to 3. */
export async function readNpyHeader(at: Place, file: Pick<Source, "size" | "read">): Promise<NpyHeader> {
  const { size } = file;
  const start = new Uint8Array(await file.read(0, Math.min(size, 12)));
  if (start.length < 12 || !isNpy(start)) {
    throw corruptFile(at, "it does not start like a .npy file");
  }
  const version = start[6]!;
  if (version < 1 || version > 3) {
    throw unsupportedFile(at, `its format version is ${version}`, "save it with numpy.save");
  }
  const view = new DataView(start.buffer);
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER || begin + length > size) {
    throw corruptFile(at, `its header claims to have ${length} bytes, but the file has ${size}`);
  }
  const text = new TextDecoder().decode(await file.read(begin, begin + length));
  return { ...parseHeader(at, text), dataBegin: begin + length };
}

/** One item of the header, which is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. */
const ITEM = /^\s*'(descr|fortran_order|shape)'\s*:\s*(?:'([^']*)'|(True|False)|\(([^()]*)\))\s*(?:,|(?=\}))/;

function parseHeader(at: Place, text: string): Omit<NpyHeader, "dataBegin"> {
  const fail = (): Error => corruptFile(at, `its header is ${brief(text.trim())}`);
  const body = text.trim();
  if (/'descr'\s*:\s*\[/.test(body)) {
    throw unsupportedFile(at, "it holds records with fields", "save each field as an array of its own");
  }
  const items = new Map<string, RegExpExecArray>();
  let rest = body.slice(1);
  for (let item = ITEM.exec(rest); item; item = ITEM.exec(rest)) {
    if (items.has(item[1]!)) throw fail();
    items.set(item[1]!, item);
    rest = rest.slice(item[0].length);
  }
  const descr = items.get("descr")?.[2];
  const fortran = items.get("fortran_order")?.[3];
  const shape = parseShape(items.get("shape")?.[4]);
  if (body[0] !== "{" || rest.trim() !== "}" || descr === undefined || !fortran || !shape) throw fail();
  return { ...parseDescr(at, descr), fortran: fortran === "True", shape };
}

/** `3, 4`, `3,` or nothing. Python 2 wrote an L after a long. */
function parseShape(text: string | undefined): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const parts = text.split(",").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  const shape = parts.map((part) => (/^\d{1,16}L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  return isShape(shape) ? shape : undefined;
}

function parseDescr(at: Place, descr: string): { dtype: StoredDtype; bigEndian: boolean } {
  const [order, code] = [descr.slice(0, 1), descr.slice(1)];
  const dtype = Object.hasOwn(DTYPES, code) ? DTYPES[code] : undefined;
  if (dtype === undefined || !"<>|=".includes(order)) {
    const objects = code === "O" ? ": it holds Python objects, which are a pickle" : "";
    const fix = "save it with one of numpy's number types, for example array.astype(numpy.float32)";
    throw unsupportedFile(at, `its dtype ${brief(descr)} is not a supported number type${objects}`, fix);
  }
  return { dtype, bigEndian: order === ">" };
}

/** The header of a row-major, little-endian array, padded so that the data starts at a multiple of 64. */
export function encodeNpyHeader(dtype: HostDtype, shape: readonly number[]): Uint8Array {
  const code = CODES[dtype]!;
  const descr = `${code.endsWith("1") ? "|" : "<"}${code}`;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((MAGIC.length + 4 + literal.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(literal), 10);
  bytes[length - 1] = 0x0a;
  return bytes;
}
