/** What a TIFF declares, and its values in interleaved rows; 8 or more bits. */
export interface RawTiff {
  readonly width: number;
  readonly values: readonly number[];
  readonly bits?: 8 | 16 | 32 | 64;
  readonly format?: "unsigned" | "signed" | "float";
  readonly bands?: number;
  readonly photometric?: number;
  readonly extraSamples?: readonly number[];
  /** GDAL's text for pixels without a measurement. */
  readonly noData?: string;
  /** Default: all rows in one strip. */
  readonly stripRows?: number;
  /** How often the rows follow each other; they stand in the file once. Default 1. */
  readonly repeat?: number;
  /** Default little-endian. */
  readonly order?: "II" | "MM";
}

const FORMATS = { unsigned: 1, signed: 2, float: 3 };
const SIZES: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 4 };

/** An uncompressed little-endian TIFF of one strip (TIFF 6.0), 8-bit grey, unless said otherwise. */
export function rawTiff({ width, values, ...more }: RawTiff): Uint8Array {
  const { bits = 8, format = "unsigned", bands = 1, photometric = 1, extraSamples, noData } = more;
  const height = values.length / width / bands;
  const { stripRows = height, repeat = 1, order = "II" } = more;
  const rowBytes = (width * bands * bits) / 8;
  const own = Math.ceil(height / stripRows);
  const strips = Array.from({ length: own * repeat }, (_, i) => (i % own) * stripRows);
  const start = 4096 + 8 * strips.length;
  const of = (value: number): number[] => new Array<number>(bands).fill(value);
  const tags: [tag: number, type: number, values: readonly number[]][] = [
    [256, 3, [width]],
    [257, 3, [height * repeat]],
    [258, 3, of(bits)],
    [259, 3, [1]],
    [262, 3, [photometric]],
    [273, 4, strips.map((top) => start + top * rowBytes)],
    [277, 3, [bands]],
    [278, 3, [stripRows]],
    [279, 4, strips.map((top) => Math.min(stripRows, height - top) * rowBytes)],
    [284, 3, [1]],
    ...(extraSamples ? [[338, 3, extraSamples] as [number, number, readonly number[]]] : []),
    [339, 3, of(FORMATS[format])],
    ...(noData === undefined ? [] : [[42113, 2, [...Buffer.from(`${noData}\0`)]] as [number, number, number[]]]),
  ];
  const bytes = Buffer.alloc(start + (values.length * bits) / 8);
  const isLittle = order === "II";
  const put = (value: number, at: number, size: number) =>
    isLittle ? bytes.writeUIntLE(value, at, size) : bytes.writeUIntBE(value, at, size);
  bytes.write(order, "latin1");
  put(42, 2, 2);
  put(8, 4, 4);
  put(tags.length, 8, 2);
  let free = 10 + 12 * tags.length + 4;
  for (const [i, [tag, type, list]] of tags.entries()) {
    const entry = 10 + 12 * i;
    const size = SIZES[type] as number;
    put(tag, entry, 2);
    put(type, entry + 2, 2);
    put(list.length, entry + 4, 4);
    const isInline = list.length * size <= 4;
    if (!isInline) put(free, entry + 8, 4);
    const at = isInline ? entry + 8 : free;
    for (const [k, value] of list.entries()) put(value, at + k * size, size);
    if (!isInline) free += list.length * size + ((list.length * size) % 2);
  }
  const ending = isLittle ? "LE" : "BE";
  for (const [i, value] of values.entries()) {
    const at = start + (i * bits) / 8;
    if (bits === 64) bytes[`writeDouble${ending}`](value, at);
    else if (format === "float" && bits === 32) bytes[`writeFloat${ending}`](value, at);
    else if (format === "signed") bytes[`writeInt${ending}`](value, at, bits / 8);
    else put(value, at, bits / 8);
  }
  return new Uint8Array(bytes);
}
