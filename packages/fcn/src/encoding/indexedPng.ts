import { io } from "@fcn/tensor";
import { PNG_SIGNATURE } from "./pngFormat.js";

export interface IndexedImage {
  /** One palette index per pixel, in row-major order. */
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** 1 to 256 colours: red, green and blue, 0 to 255. */
  readonly palette: readonly (readonly [number, number, number])[];
}

const PALETTE_COLOUR = 3;

/**
 * Encodes a palette PNG (ISO/IEC 15948, colour type 3, 8 bits) whose pixels are the labels themselves. The platform
 * compresses it off the main thread, unlike encoders in JavaScript, so label maps are written while the net continues.
 */
export async function encodeIndexedPng({
  labels,
  height,
  width,
  palette,
}: IndexedImage): Promise<Uint8Array<ArrayBuffer>> {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(labels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, PALETTE_COLOUR], 8);
  const file = new Blob([
    Uint8Array.from(PNG_SIGNATURE),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette.flat())),
    chunk("IDAT", await deflate(rows)),
    chunk("IEND", new Uint8Array(0)),
  ]);
  return new Uint8Array(await file.arrayBuffer());
}

/** A zlib stream of `bytes`. */
async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A chunk: length, type, data, and the checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, new io.Crc32().update(bytes.subarray(4, data.length + 8)).value);
  return bytes;
}
