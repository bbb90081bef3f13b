import { mapAhead } from "../../async/pipeline.js";
import { type ByteSource, openFile } from "../../data/decode/byteSource.js";
import { decodeImage } from "../../data/decode/image.js";
import {
  checkScale,
  EIGHT_BITS,
  type PixelLevels,
  type PixelScale,
  rangeNeeded,
} from "../../data/decode/pixelScale.js";
import { readTiffBlocks, type TiffBlocks } from "../../data/decode/tiffBlocks.js";
import { type BlockRange, extentOf, readTiffPart } from "../../data/decode/tiffPart.js";
import { fileError, MOST_PIXELS, unlessAway } from "../../data/files/errors.js";
import type { Rectangle } from "../../data/samples/tiles.js";
import type { RasterImage } from "../../labels/sample.js";
import { isRemote, splitAddress } from "../../places/address.js";
import { openPlace } from "../../places/open.js";
import type { Place } from "../../places/place.js";

/** An image of which rectangles are read, so that it is never held whole. */
export interface Windows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** A rectangle that lies in the image. Throws a TensorError that names the file. */
  read(rectangle: Rectangle): Promise<RasterImage>;
  close(): Promise<void>;
}

/** A file or an object of a place, to be read in parts. Throws `missing-data` if there is none. */
export async function placeSource(place: Place, name: string): Promise<ByteSource> {
  const address = place.addressOf(name);
  const found = await place.stat(name);
  if (found === undefined) throw fileError("missing-data", address, "it does not exist", "check the address");
  const read = (offset: number, length: number): Promise<Uint8Array> => place.read(name, { offset, length });
  return { name: address, bytes: found.bytes, read, close: async () => {} };
}

/**
 * Opens a TIFF file of any size. Rectangles have the pixels that `decodeImage` gives for the whole file, of which only
 * the tiles or strips in question are read and decoded. Values of more than 8 bits need a range in `scale`, since none
 * can be inferred from a part; that the file is of the kind that the range was chosen for is checked on nine parts of
 * it.
 */
export async function openWindows(source: string | ByteSource, scale: PixelScale = {}): Promise<Windows> {
  const opened = typeof source === "string" ? await openFile(source) : source;
  try {
    return await windowsOf(opened, await readTiffBlocks(opened), scale);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Most bytes that a file may have, in itself or decoded, to be read at once. */
const MOST_BYTES = 2 ** 31;

/**
 * {@link openWindows} for a TIFF file, of this machine or another one, that is too large to be decoded whole; undefined
 * for any other file.
 */
export async function openScene(
  address: string,
  scale: PixelScale,
  mostPixels = MOST_PIXELS,
): Promise<Windows | undefined> {
  if (!/\.tiff?(\?.*)?$/i.test(address)) return undefined;
  const source = await addressSource(address).catch(unlessAway(undefined));
  const blocks = source && (await readTiffBlocks(source).catch(unlessAway(undefined)));
  if (source === undefined || blocks === undefined || !isTooLarge(source, blocks, mostPixels)) {
    // What is wrong with a file is told by whoever reads it whole.
    await source?.close();
    return undefined;
  }
  try {
    return await windowsOf(source, blocks, scale);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The file at an address, to be read in parts. */
export async function addressSource(address: string): Promise<ByteSource> {
  if (!isRemote(address)) return openFile(address);
  const { place, name } = splitAddress(address);
  return placeSource(await openPlace(place), name);
}

function isTooLarge({ bytes }: ByteSource, { height, width, tags }: TiffBlocks, mostPixels: number): boolean {
  const decoded = height * width * tags.bands * Math.ceil(tags.bits / 8);
  return height * width > mostPixels || bytes >= MOST_BYTES || decoded >= MOST_BYTES;
}

async function windowsOf(source: ByteSource, blocks: TiffBlocks, scale: PixelScale): Promise<Windows> {
  const { height, width, block } = blocks;
  if (block.height * block.width > MOST_BLOCK) throw coarse(source.name, block);
  const { range } = scale;
  await checkLevels(source, blocks, scale);
  const decode = (part: BlockRange) => decodePart(source, blocks, part, range ? { range } : {});
  const read = async (rectangle: Rectangle): Promise<RasterImage> => {
    const data = new Uint8Array(rectangle.height * rectangle.width * CHANNELS);
    for await (const part of mapAhead(rangesOf(blocks, rectangle), DECODE_AHEAD, decode))
      copyPart(part, data, rectangle);
    return { data, height: rectangle.height, width: rectangle.width, channels: CHANNELS };
  };
  return { height, width, channels: CHANNELS, read, close: () => source.close() };
}

/** Images are decoded to red, green and blue. */
const CHANNELS = 3;
/** Most pixels of a block, which is the least that can be decoded. */
const MOST_BLOCK = 2 ** 26;
/** About how many pixels are decoded at once, unless a block has more. */
const PART_PIXELS = 2 ** 20;
/** Parts that are read and decoded at a time. */
const DECODE_AHEAD = 4;

function coarse(file: string, { height, width }: TiffBlocks["block"]) {
  const problem = `it can be decoded only in parts of ${height}x${width} pixels (height x width), more than are held at once`;
  return fileError(
    "unsupported-file",
    file,
    problem,
    "write it in tiles, such as vips copy IN.tif OUT.tif[tile,bigtiff]",
  );
}

/** The blocks that reach into a rectangle, in parts that are decoded at once. */
function* rangesOf({ block, isTiled }: TiffBlocks, { top, left, height, width }: Rectangle): Generator<BlockRange> {
  const [firstRow, firstColumn] = [Math.floor(top / block.height), Math.floor(left / block.width)];
  const [endRow, endColumn] = [Math.ceil((top + height) / block.height), Math.ceil((left + width) / block.width)];
  const count = Math.max(1, Math.floor(PART_PIXELS / (block.height * block.width)));
  const [down, across] = isTiled ? [1, count] : [count, 1];
  for (let row = firstRow; row < endRow; row += down) {
    for (let column = firstColumn; column < endColumn; column += across) {
      const [rows, columns] = [Math.min(down, endRow - row), Math.min(across, endColumn - column)];
      yield { row, rows, column, columns };
    }
  }
}

interface DecodedPart extends Rectangle {
  readonly data: Uint8Array;
  readonly levels: PixelLevels | undefined;
}

async function decodePart(
  source: ByteSource,
  blocks: TiffBlocks,
  range: BlockRange,
  scale: PixelScale,
): Promise<DecodedPart> {
  const bytes = await readTiffPart(source, blocks, range);
  const { image, levels } = await decodeImage(source.name, bytes, scale);
  return { data: image.data, levels, left: range.column * blocks.block.width, ...extentOf(blocks, range) };
}

/** Copies what a part and a rectangle of the image have in common. */
function copyPart(part: DecodedPart, data: Uint8Array, { top, left, height, width }: Rectangle): void {
  const [begin, end] = [Math.max(part.left, left), Math.min(part.left + part.width, left + width)];
  for (let y = Math.max(part.top, top); y < Math.min(part.top + part.height, top + height); y++) {
    const from = ((y - part.top) * part.width + begin - part.left) * CHANNELS;
    const row = part.data.subarray(from, from + (end - begin) * CHANNELS);
    data.set(row, ((y - top) * width + begin - left) * CHANNELS);
  }
}

/** Throws if nine parts of the image do not match the scale that a net was trained with, or need one. */
async function checkLevels(source: ByteSource, blocks: TiffBlocks, scale: PixelScale): Promise<void> {
  const { height, width, block } = blocks;
  // Tiles that go beyond the image hold values that are none of it.
  const some = (size: number, of: number): number[] => {
    const whole = Math.max(1, Math.floor(size / of));
    return [...new Set([0, Math.floor((whole - 1) / 2), whole - 1])];
  };
  const places = some(height, block.height).flatMap((row) =>
    some(width, block.width).map((column) => ({ row, rows: 1, column, columns: 1 })),
  );
  const found: PixelLevels[] = [];
  for (const place of places) {
    const { levels } = await decodePart(source, blocks, place, { range: scale.range ?? [0, 1] });
    // All parts have the same depth.
    if (levels === undefined) return checkScale(source.name, EIGHT_BITS, scale);
    found.push(levels);
  }
  const mean = (key: "missing" | "clipped"): number => found.reduce((sum, each) => sum + each[key], 0) / found.length;
  const valid = found.filter(({ min }) => !Number.isNaN(min));
  const levels = {
    depth: (found[0] as PixelLevels).depth,
    min: valid.length > 0 ? Math.min(...valid.map(({ min }) => min)) : 0,
    max: valid.length > 0 ? Math.max(...valid.map(({ max }) => max)) : 0,
    missing: mean("missing"),
    clipped: mean("clipped"),
  };
  if (scale.range === undefined) throw rangeNeeded(source.name, levels);
  checkScale(source.name, levels, scale);
}
