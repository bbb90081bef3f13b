import { io } from "@fcn/tensor";
import { PNG_SIGNATURE } from "./pngFormat.js";

interface IndexedHeader {
  readonly height: number;
  readonly width: number;
  /** 1 to 256 colours: red, green and blue, 0 to 255. */
  readonly palette: readonly (readonly [number, number, number])[];
}

export interface IndexedImage extends IndexedHeader {
  /** One palette index per pixel, in row-major order. */
  readonly labels: Uint8Array;
}

/** An image that is given from the top, some rows at a time. */
export interface IndexedRows extends IndexedHeader {
  /** Each piece holds whole rows of palette indices. */
  readonly rows: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

const PALETTE_COLOUR = 3;
/** Most bytes of a chunk of compressed rows; a chunk may have 2 GiB. */
const MOST_IN_CHUNK = 2 ** 24;
/** Pixels of an image in memory that are copied at a time. */
const PIECE_PIXELS = 2 ** 20;

/**
 * Encodes a palette PNG (ISO/IEC 15948, colour type 3, 8 bits) whose pixels are the labels themselves. The platform
 * compresses it off the main thread, unlike encoders in JavaScript, so label maps are written while the net continues.
 */
export async function encodeIndexedPng({ labels, ...header }: IndexedImage): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of indexedPngPieces({ ...header, rows: rowsIn(labels, header.width) })) pieces.push(piece);
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function* rowsIn(labels: Uint8Array, width: number): Generator<Uint8Array> {
  const size = Math.max(1, Math.floor(PIECE_PIXELS / width)) * width;
  for (let at = 0; at < labels.length; at += size) yield labels.subarray(at, at + size);
}

/** {@link encodeIndexedPng} piece by piece, for an image that is never held whole. Throws what `rows` throws. */
export async function* indexedPngPieces({
  rows,
  height,
  width,
  palette,
}: IndexedRows): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, PALETTE_COLOUR], 8);
  yield Uint8Array.from(PNG_SIGNATURE);
  yield chunk("IHDR", header);
  yield chunk("PLTE", Uint8Array.from(palette.flat()));
  for await (const data of gathered(deflated(filtered(rows, width)), MOST_IN_CHUNK)) yield chunk("IDAT", ...data);
  yield chunk("IEND");
}

/** Each row with a 0 before it, which says that its bytes are as they are. */
async function* filtered(rows: IndexedRows["rows"], width: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of rows) {
    const count = piece.length / width;
    const bytes = new Uint8Array((width + 1) * count);
    for (let y = 0; y < count; y++) bytes.set(piece.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
    yield bytes;
  }
}

/** A zlib stream of `pieces`, each of which is asked for when the one before is compressed. */
async function* deflated(pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new CompressionStream("deflate");
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const feed = async (): Promise<void> => {
    try {
      // Node's compressor takes all that is piped into it, whether or not it is read; only its writes wait.
      for await (const piece of pieces) await writer.write(piece);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
      throw error;
    }
  };
  const fed = feed();
  fed.catch(() => undefined);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    // The stream may report its own end rather than what ended it.
    await fed;
    throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
    await fed.catch(() => undefined);
  }
}

/** Pieces in lists of at most `most` bytes, or of one piece. */
async function* gathered(pieces: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array[]> {
  let list: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    if (list.length > 0 && size + piece.length > most) {
      yield list;
      [list, size] = [[], 0];
    }
    list.push(piece);
    size += piece.length;
  }
  yield list;
}

/** A chunk: length, type, data, and the checksum of type and data. */
function chunk(type: string, ...data: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = data.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  bytes.set(new TextEncoder().encode(type), 4);
  let at = 8;
  for (const part of data) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(length + 8, new io.Crc32().update(bytes.subarray(4, length + 8)).value);
  return bytes;
}
