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
}

const FORMATS = { unsigned: 1, signed: 2, float: 3 };
const SIZES: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 4 };

/** An uncompressed little-endian TIFF of one strip (TIFF 6.0), 8-bit grey unless said otherwise. */
export function rawTiff({ width, values, ...more }: RawTiff): Uint8Array {
  const { bits = 8, format = "unsigned", bands = 1, photometric = 1, extraSamples, noData } = more;
  const height = values.length / width / bands;
  const of = (value: number): number[] => new Array<number>(bands).fill(value);
  const tags: [tag: number, type: number, values: readonly number[]][] = [
    [256, 3, [width]],
    [257, 3, [height]],
    [258, 3, of(bits)],
    [259, 3, [1]],
    [262, 3, [photometric]],
    [273, 4, [0]],
    [277, 3, [bands]],
    [278, 3, [height]],
    [279, 4, [(values.length * bits) / 8]],
    [284, 3, [1]],
    ...(extraSamples ? [[338, 3, extraSamples] as [number, number, readonly number[]]] : []),
    [339, 3, of(FORMATS[format])],
    ...(noData === undefined ? [] : [[42113, 2, [...Buffer.from(`${noData}\0`)]] as [number, number, number[]]]),
  ];
  const bytes = Buffer.alloc(4096 + (values.length * bits) / 8);
  bytes.write("II*\0", "latin1");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(tags.length, 8);
  let free = 10 + 12 * tags.length + 4;
  const strip = 4096;
  for (const [i, [tag, type, list]] of tags.entries()) {
    const entry = 10 + 12 * i;
    const size = SIZES[type] as number;
    bytes.writeUInt16LE(tag, entry);
    bytes.writeUInt16LE(type, entry + 2);
    bytes.writeUInt32LE(list.length, entry + 4);
    const isInline = list.length * size <= 4;
    if (!isInline) bytes.writeUInt32LE(free, entry + 8);
    const at = isInline ? entry + 8 : free;
    for (const [k, value] of list.entries()) bytes.writeUIntLE(tag === 273 ? strip : value, at + k * size, size);
    if (!isInline) free += list.length * size + ((list.length * size) % 2);
  }
  for (const [i, value] of values.entries()) {
    const at = strip + (i * bits) / 8;
    if (bits === 64) bytes.writeDoubleLE(value, at);
    else if (format === "float" && bits === 32) bytes.writeFloatLE(value, at);
    else if (format === "signed") bytes.writeIntLE(value, at, bits / 8);
    else bytes.writeUIntLE(value, at, bits / 8);
  }
  return new Uint8Array(bytes);
}
