import { deflateSync } from "node:zlib";

/** A value to write: a matrix of numbers by rows, text, a struct of one element, or cells. */
export type Writable =
  | { readonly rows: readonly (readonly number[])[]; readonly type: keyof typeof NUMBERS }
  | { readonly text: string }
  | { readonly fields: Readonly<Record<string, Writable>> }
  | { readonly cells: readonly Writable[] };

/** MATLAB class, data type, bytes, how one value is written. */
const NUMBERS = {
  double: [6, 9, 8, (v: DataView, at: number, x: number, le: boolean) => v.setFloat64(at, x, le)],
  single: [7, 7, 4, (v: DataView, at: number, x: number, le: boolean) => v.setFloat32(at, x, le)],
  int8: [8, 1, 1, (v: DataView, at: number, x: number) => v.setInt8(at, x)],
  uint8: [9, 2, 1, (v: DataView, at: number, x: number) => v.setUint8(at, x)],
  int16: [10, 3, 2, (v: DataView, at: number, x: number, le: boolean) => v.setInt16(at, x, le)],
  uint16: [11, 4, 2, (v: DataView, at: number, x: number, le: boolean) => v.setUint16(at, x, le)],
  int32: [12, 5, 4, (v: DataView, at: number, x: number, le: boolean) => v.setInt32(at, x, le)],
  uint32: [13, 6, 4, (v: DataView, at: number, x: number, le: boolean) => v.setUint32(at, x, le)],
} as const;

/** A MAT-file of version 5 from the format's description, in either byte order, compressed or not. */
export function encodeMat(
  variables: Readonly<Record<string, Writable>>,
  { littleEndian = true, compress = false } = {},
): Uint8Array {
  const u32 = (value: number): Buffer => {
    const out = Buffer.alloc(4);
    if (littleEndian) out.writeUInt32LE(value);
    else out.writeUInt32BE(value);
    return out;
  };
  const element = (type: number, data: Buffer): Buffer =>
    Buffer.concat([u32(type), u32(data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  const numbers = (type: keyof typeof NUMBERS, values: readonly number[]): Buffer => {
    const [, dataType, size, set] = NUMBERS[type];
    const data = Buffer.alloc(values.length * size);
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    values.forEach((value, i) => {
      set(view, i * size, value, littleEndian);
    });
    return element(dataType, data);
  };
  const head = (matClass: number, shape: readonly number[], name: string): Buffer[] => [
    numbers("uint32", [matClass, 0]),
    numbers("int32", shape),
    element(1, Buffer.from(name)),
  ];
  const matrix = (name: string, value: Writable): Buffer => element(14, Buffer.concat(parts(name, value)));
  const parts = (name: string, value: Writable): Buffer[] => {
    if ("text" in value) {
      const codes = [...value.text].map((letter) => letter.charCodeAt(0));
      return [...head(4, [1, codes.length], name), numbers("uint16", codes)];
    }
    if ("cells" in value) {
      return [...head(1, [value.cells.length, 1], name), ...value.cells.map((cell) => matrix("", cell))];
    }
    if ("fields" in value) {
      const keys = Object.keys(value.fields);
      const names = Buffer.concat(keys.map((key) => Buffer.concat([Buffer.from(key), Buffer.alloc(32 - key.length)])));
      const fields = Object.values(value.fields).map((field) => matrix("", field));
      return [...head(2, [1, 1], name), numbers("int32", [32]), element(1, names), ...fields];
    }
    const { rows, type } = value;
    const [height, width] = [rows.length, rows[0]?.length ?? 0];
    const columns = Array.from({ length: height * width }, (_, i) => rows[i % height]?.[Math.floor(i / height)] ?? 0);
    return [...head(NUMBERS[type][0], [height, width], name), numbers(type, columns)];
  };
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file, written by a test");
  header.writeUInt16LE(0x0100, 124);
  header.write(littleEndian ? "IM" : "MI", 126);
  const written = Object.entries(variables).map(([name, value]) => {
    const bytes = matrix(name, value);
    if (!compress) return bytes;
    const packed = deflateSync(bytes);
    return Buffer.concat([u32(15), u32(packed.length), packed]);
  });
  return new Uint8Array(Buffer.concat([header, ...written]));
}
