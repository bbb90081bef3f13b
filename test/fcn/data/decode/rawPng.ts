import { deflateSync } from "node:zlib";
import { io } from "@fcn/tensor";

/** A PNG as its parts say, sound or not (ISO/IEC 15948). */
export interface RawPng {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly type?: number;
  readonly compression?: number;
  readonly filter?: number;
  readonly interlace?: number;
  /** Bytes of each row, of which the first names the filter. */
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly number[];
  /** Stands in place of the header's 13 bytes. */
  readonly header?: readonly number[];
  /** Chunks after the header. */
  readonly more?: readonly Uint8Array[];
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const fourBytes = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

/** A chunk, whose checksum is off by `off`. */
export function chunk(type: string, data: Iterable<number>, off = 0): Uint8Array {
  const body = Uint8Array.from([...Buffer.from(type, "latin1"), ...data]);
  const sum = new io.Crc32().update(body).value + off;
  return Uint8Array.from([...fourBytes(body.length - 4), ...body, ...fourBytes(sum)]);
}

/** A PNG file of these chunks. */
export const pngOf = (...chunks: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from([...SIGNATURE, ...chunks.flatMap((part) => [...part])]);

/** 8-bit grey in one pass unless said otherwise. */
export function rawPng({ width, height, rows, palette, header, more = [], ...format }: RawPng): Uint8Array {
  const { depth = 8, type = 0, compression = 0, filter = 0, interlace = 0 } = format;
  const sides = [...fourBytes(width), ...fourBytes(height)];
  return pngOf(
    chunk("IHDR", header ?? [...sides, depth, type, compression, filter, interlace]),
    ...more,
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(rows.flat()))),
    chunk("IEND", []),
  );
}
