import { inflate } from "../decode/inflate.js";
import { damagedFile, fileError, reasonOf } from "../files/errors.js";
import { notOfKind } from "../files/notOfKind.js";
import { Cursor, type Element, type Numbers } from "./cursor.js";

/** A numeric array with its values in MATLAB's order: the first dimension varies fastest. */
export interface MatNumeric {
  readonly kind: "numeric";
  readonly shape: readonly number[];
  readonly data: Numbers;
}
/** A character array; its rows are joined by line breaks. */
export interface MatText {
  readonly kind: "text";
  readonly shape: readonly number[];
  readonly text: string;
}
export interface MatCell {
  readonly kind: "cell";
  readonly shape: readonly number[];
  readonly cells: readonly MatValue[];
}
/** A struct array with one record per element. */
export interface MatStruct {
  readonly kind: "struct";
  readonly shape: readonly number[];
  readonly elements: readonly Readonly<Record<string, MatValue>>[];
}
/** A value of an unsupported class: sparse, object or function handle. */
export interface MatOther {
  readonly kind: "other";
  readonly shape: readonly number[];
  readonly matClass: string;
}
export type MatValue = MatNumeric | MatText | MatCell | MatStruct | MatOther;

const HEADER = 128;
const MI_MATRIX = 14;
const MI_COMPRESSED = 15;
/** More than any label file unpacks to, so that decompression bombs stop here. */
const MOST_UNPACKED = 2 ** 26;
const DEEPEST = 32;
const OTHER: Readonly<Record<number, string>> = { 3: "object", 5: "sparse array", 16: "function handle" };
const CELL = 1;
const STRUCT = 2;
const CHAR = 4;
const DOUBLE = 6;
const UINT64 = 15;

/**
 * Reads the variables of a version 5 MAT-file (MATLAB's "v6" and "v7", scipy.io.savemat) in either byte order,
 * compressed or not: numeric and logical arrays (real part only), text, cells and structs. Format: MathWorks, "MAT-File
 * Format", chapter 1. Throws a TensorError that names `file`: `corrupt-file`, or `unsupported-file` for versions 4 and
 * 7.3.
 */
export async function readMat(file: string, bytes: Uint8Array): Promise<Map<string, MatValue>> {
  const cursor = new Cursor(file, bytes, checkHeader(file, bytes), HEADER);
  const variables = new Map<string, MatValue>();
  while (!cursor.done) {
    const outer = cursor.element({ padded: false });
    const { type, bytes } = outer.type === MI_COMPRESSED ? await unpacked(file, cursor, outer) : outer;
    if (type !== MI_MATRIX) continue;
    const { name, value } = readMatrix(cursor.within(bytes), 0);
    variables.set(name, value);
  }
  return variables;
}

async function unpacked(file: string, cursor: Cursor, { bytes }: Element): Promise<Element> {
  const content = await inflate([bytes], MOST_UNPACKED).catch((cause: unknown) => {
    throw damagedFile(file, `its compressed data is damaged (${reasonOf(cause)})`, cause);
  });
  return cursor.within(content).element();
}

/** Whether the file is little-endian. */
function checkHeader(file: string, bytes: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 19));
  if (text.startsWith("MATLAB 7.3") || text.startsWith("HDF", 1)) {
    const fix = "save it in MATLAB with -v7, or in Python with scipy.io.savemat";
    throw fileError("unsupported-file", file, "it is a MAT-file of version 7.3 (HDF5), only version 5 is read", fix);
  }
  const mark = String.fromCharCode(bytes[126] ?? 0, bytes[127] ?? 0);
  if (mark === "IM" || mark === "MI") return mark === "IM";
  if (text.startsWith("MATLAB")) throw damagedFile(file, `it is cut off after ${bytes.length} bytes`);
  throw notOfKind(file, bytes, "a MAT-file of version 5", "it is not a MAT-file of version 5");
}

/** Reads the content of one miMATRIX element. */
function readMatrix(cursor: Cursor, depth: number): { name: string; value: MatValue } {
  if (cursor.done) return { name: "", value: { kind: "numeric", shape: [0, 0], data: new Uint8Array(0) } };
  if (depth > DEEPEST) throw cursor.damaged(`its cells or structs are nested more than ${DEEPEST} deep`);
  const flags = cursor.numbers();
  const matClass = (flags[0] ?? 0) & 0xff;
  // An opaque value has no dimensions.
  if (matClass === 17) return { name: "", value: { kind: "other", shape: [], matClass: "opaque" } };
  const shape = Array.from(cursor.numbers());
  const name = textOf(cursor.numbers());
  const count = shape.reduce((product, length) => product * length, 1);
  if (shape.length < 2 || shape.some((length) => length < 0) || !Number.isSafeInteger(count)) {
    throw cursor.damaged(`variable "${name}" has the shape [${shape}]`);
  }
  return { name, value: readValue(cursor, matClass, shape, count, depth) };
}

function readValue(cursor: Cursor, matClass: number, shape: number[], count: number, depth: number): MatValue {
  const child = (): MatValue => {
    const element = cursor.element();
    if (element.type !== MI_MATRIX) throw cursor.damaged(`a cell or field holds an element of type ${element.type}`);
    return readMatrix(cursor.within(element.bytes), depth + 1).value;
  };
  if (matClass === CELL) return { kind: "cell", shape, cells: Array.from({ length: cursor.atMost(count) }, child) };
  if (matClass === STRUCT) return readStruct(cursor, shape, count, child);
  if (matClass === CHAR) return { kind: "text", shape, text: rowsOf(cursor.numbers(), shape, cursor) };
  if (matClass >= DOUBLE && matClass <= UINT64) {
    const data = cursor.numbers();
    if (data.length !== count) throw cursor.damaged(`an array of shape [${shape}] holds ${data.length} values`);
    return { kind: "numeric", shape, data };
  }
  const known = OTHER[matClass];
  if (known === undefined) throw cursor.damaged(`it holds a value of the unknown class ${matClass}`);
  return { kind: "other", shape, matClass: known };
}

function readStruct(cursor: Cursor, shape: number[], count: number, child: () => MatValue): MatStruct {
  const [nameLength = 0] = cursor.numbers();
  const names = cursor.numbers();
  const fields = nameLength > 0 ? Math.floor(names.length / nameLength) : 0;
  const keys = Array.from({ length: fields }, (_, f) => textOf(names.subarray(f * nameLength, (f + 1) * nameLength)));
  cursor.atMost(count * Math.max(1, fields));
  const elements = Array.from({ length: fields === 0 ? 0 : count }, () =>
    Object.fromEntries(keys.map((key) => [key, child()] as const)),
  );
  return { kind: "struct", shape, elements };
}

/** The text up to the first NUL. */
function textOf(codes: Numbers): string {
  const end = codes.indexOf(0);
  return String.fromCharCode(...codes.subarray(0, Math.min(end < 0 ? codes.length : end, 4096)));
}

function rowsOf(codes: Numbers, [rows = 0, ...rest]: readonly number[], cursor: Cursor): string {
  const columns = rest.reduce((product, length) => product * length, 1);
  if (codes.length < rows * columns) throw cursor.damaged(`a text of ${rows * columns} letters holds ${codes.length}`);
  const row = (r: number): string => {
    let text = "";
    for (let c = 0; c < columns; c++) text += String.fromCodePoint(Math.min(codes[c * rows + r] as number, 0x10ffff));
    return text;
  };
  return Array.from({ length: columns === 0 ? 0 : rows }, (_, r) => row(r)).join("\n");
}
