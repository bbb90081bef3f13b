import { damagedFile } from "../files/errors.js";
import type { ByteSource } from "./byteSource.js";
import { TAGS, type TiffBlocks } from "./tiffBlocks.js";
import type { TiffField } from "./tiffTags.js";

/** Blocks of a grid that are read together. */
export interface BlockRange {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** The pixels of a range of blocks. That of strips ends with the image; that of tiles may go beyond it. */
export function extentOf({ block, height, isTiled }: TiffBlocks, { row, rows, columns }: BlockRange) {
  const whole = rows * block.height;
  const [top, below] = [row * block.height, isTiled ? whole : Math.min(whole, height - row * block.height)];
  return { top, height: below, width: columns * block.width };
}

/**
 * Some blocks of a TIFF file as a TIFF file of their own, with the bytes of the blocks and all that says how to decode
 * them as they are. So a decoder gives exactly the pixels that it gives for the whole file.
 */
export async function readTiffPart(source: ByteSource, blocks: TiffBlocks, range: BlockRange): Promise<Uint8Array> {
  const pieces = await readBlocks(source, blocks, range);
  const { little, isTiled, block, fields } = blocks;
  const { height, width } = extentOf(blocks, range);
  const long = (...values: number[]): TiffField => longs(values, little);
  const kind = isTiled ? TAGS.tiles : TAGS.strips;
  const offsets = long(...pieces.map(() => 0));
  const all = new Map<number, TiffField>([
    ...fields,
    [TAGS.width, long(width)],
    [TAGS.height, long(height)],
    [kind.offsets, offsets],
    [kind.lengths, long(...pieces.map(({ length }) => length))],
    [kind.height, long(block.height)],
    ...(isTiled ? [[TAGS.tiles.width, long(block.width)] as const] : []),
  ]);
  const tags = [...all].sort(([a], [b]) => a - b);
  let free = 8 + 2 + 12 * tags.length + 4;
  const places = tags.map(([, { values }]) => {
    const place = free;
    if (values.length > 4) free += even(values.length);
    return place;
  });
  const starts = pieces.map(({ length }) => {
    const start = free;
    free += even(length);
    return start;
  });
  offsets.values.set(long(...starts).values);
  const file = new Uint8Array(free);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode(little ? "II" : "MM"));
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, tags.length, little);
  for (const [i, [tag, { type, count, values }]] of tags.entries()) {
    const entry = 10 + 12 * i;
    view.setUint16(entry, tag, little);
    view.setUint16(entry + 2, type, little);
    view.setUint32(entry + 4, count, little);
    const place = places[i] as number;
    if (values.length > 4) view.setUint32(entry + 8, place, little);
    file.set(values, values.length > 4 ? place : entry + 8);
  }
  for (const [i, piece] of pieces.entries()) file.set(piece, starts[i] as number);
  return file;
}

/** Values of a TIFF begin at even positions. */
const even = (length: number): number => length + (length % 2);

function longs(values: readonly number[], little: boolean): TiffField {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, little);
  return { type: 4, count: values.length, values: new Uint8Array(view.buffer) };
}

/** The bytes of blocks, by plane, row and column. Blocks that lie beside each other in the file are read at once. */
async function readBlocks(source: ByteSource, blocks: TiffBlocks, range: BlockRange): Promise<Uint8Array[]> {
  const { grid, planes, offsets, lengths } = blocks;
  const parts: { readonly begin: number; readonly end: number }[] = [];
  for (let plane = 0; plane < planes; plane++) {
    for (let row = range.row; row < range.row + range.rows; row++) {
      for (let column = range.column; column < range.column + range.columns; column++) {
        const at = (plane * grid.rows + row) * grid.columns + column;
        const [begin, length] = [offsets[at] as number, lengths[at] as number];
        const where = `the block at row ${row} and column ${column} of its grid`;
        if (length === 0) throw damagedFile(source.name, `${where} is missing`);
        if (begin + length > source.bytes)
          throw damagedFile(source.name, `it is cut off: ${where} lies beyond its end`);
        parts.push({ begin, end: begin + length });
      }
    }
  }
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < parts.length; ) {
    const first = parts[i] as { begin: number; end: number };
    let end = first.end;
    let next = i + 1;
    for (; parts[next] !== undefined && nears(parts[next]!.begin, end); next++) end = parts[next]!.end;
    const bytes = await source.read(first.begin, end - first.begin);
    for (const part of parts.slice(i, next))
      pieces.push(bytes.subarray(part.begin - first.begin, part.end - first.begin));
    i = next;
  }
  return pieces;
}

/** Bytes between two blocks that are read with them rather than by another request. Writers align and label blocks. */
const GAP = 64;

const nears = (begin: number, end: number): boolean => begin >= end && begin - end <= GAP;
