import { damagedFile, fileError } from "../files/errors.js";
import { notOfKind } from "../files/notOfKind.js";
import type { ByteSource } from "./byteSource.js";
import {
  entryCount,
  entrySizes,
  isTiff,
  MOST_ENTRIES,
  type TiffField,
  type TiffHeader,
  type TiffTags,
  tagsOf,
  tiffEntries,
  tiffHeader,
  tiffNumbers,
} from "./tiffTags.js";

/** The numbers of the fields that say where pixels lie. */
export const TAGS = {
  ...{ width: 256, height: 257, compression: 259, orientation: 274, planar: 284 },
  strips: { offsets: 273, height: 278, lengths: 279 },
  tiles: { width: 322, height: 323, offsets: 324, lengths: 325 },
} as const;

/**
 * The fields by which blocks are decoded, other than those of {@link TAGS}: bits, photometric, fill order, bands, fax
 * options, predictor, primaries, palette, inks, extra samples, formats of samples, JPEG tables, YCbCr, profile, no
 * data, LERC.
 */
const DECODING = [
  ...[258, 259, 262, 266, 277, 284, 292, 293, 317, 318, 319, 320, 321, 332, 333, 334, 336, 338, 339, 340, 341, 347],
  ...[529, 530, 531, 532, 34675, 42113, 50674],
];

/** Where the blocks of the first image of a TIFF file lie: its tiles, or its strips of whole rows. */
export interface TiffBlocks extends Pick<TiffHeader, "little"> {
  readonly height: number;
  readonly width: number;
  readonly isTiled: boolean;
  /** In pixels. Tiles beyond the right or lower border are as large as others; the last strip is not. */
  readonly block: { readonly height: number; readonly width: number };
  /** Number of blocks below and beside each other. */
  readonly grid: { readonly rows: number; readonly columns: number };
  /** How often the grid is repeated: once a band if the bands lie apart. */
  readonly planes: number;
  /** By plane, row and column. */
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
  /** What else is needed to decode a block. */
  readonly fields: ReadonlyMap<number, TiffField>;
  readonly tags: TiffTags;
}

const OLD_JPEG = 6;

/** Reads the first directory of a TIFF or BigTIFF. Throws a TensorError that names the file for what cannot be used. */
export async function readTiffBlocks(source: ByteSource): Promise<TiffBlocks> {
  const { name, bytes } = source;
  const start = await source.read(0, Math.min(16, bytes));
  if (!isTiff(start) || bytes < 16) {
    throw notOfKind(name, start, "a TIFF file", "it is not a TIFF file, of which alone parts are read");
  }
  const header = tiffHeader(start);
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    if (offset + length <= bytes) return source.read(offset, length);
    throw damagedFile(name, `it is cut off or damaged: it has ${bytes} bytes, but names some at ${offset}`);
  };
  const [before, size] = entrySizes(header);
  const count = entryCount(await read(header.directory, before), 0, header);
  const directory = await read(header.directory, before + Math.min(count, MOST_ENTRIES) * size);
  const entries = tiffEntries(directory, 0, header);
  const fieldOf = async (tag: number): Promise<TiffField | undefined> => {
    const entry = entries.get(tag);
    if (entry === undefined) return undefined;
    const { type, count: values, inside, offset } = entry;
    const own = inside === undefined ? await read(offset, entry.bytes) : directory.slice(inside, inside + entry.bytes);
    return { type, count: values, values: own };
  };
  const numbers = async (tag: number): Promise<number[]> => {
    const field = await fieldOf(tag);
    return field ? tiffNumbers(field, header.little) : [];
  };
  const number = async (tag: number): Promise<number> => (await numbers(tag))[0] ?? 0;

  const [height, width] = [await number(TAGS.height), await number(TAGS.width)];
  const isTiled = entries.has(TAGS.tiles.offsets);
  const kind = isTiled ? TAGS.tiles : TAGS.strips;
  // A strip whose height is not said, or is beyond the image, is all of it.
  const rows = (await number(kind.height)) || height;
  const block = isTiled
    ? { height: rows, width: await number(TAGS.tiles.width) }
    : { height: Math.min(rows, height), width };
  if (!(height > 0 && width > 0 && block.width > 0)) throw damagedFile(name, "its directory names no size");
  const orientation = (await number(TAGS.orientation)) || 1;
  if (orientation !== 1) throw turned(name, orientation);
  if ((await number(TAGS.compression)) === OLD_JPEG) throw oldJpeg(name);
  const fields = new Map<number, TiffField>();
  for (const tag of DECODING) {
    const field = await fieldOf(tag);
    if (field) fields.set(tag, field);
  }
  const tags = tagsOf(header.little, (tag) => fields.get(tag));
  const grid = { rows: Math.ceil(height / block.height), columns: Math.ceil(width / block.width) };
  const planes = (await number(TAGS.planar)) === 2 ? tags.bands : 1;
  const [offsets, lengths] = [await numbers(kind.offsets), await numbers(kind.lengths)];
  const wanted = grid.rows * grid.columns * planes;
  if (offsets.length < wanted || lengths.length < wanted) {
    const found = Math.min(offsets.length, lengths.length);
    throw damagedFile(name, `it is damaged: ${height}x${width} pixels are ${wanted} blocks, it names ${found}`);
  }
  return { little: header.little, height, width, isTiled, block, grid, planes, offsets, lengths, fields, tags };
}

const turned = (file: string, orientation: number) =>
  fileError(
    "unsupported-file",
    file,
    `its orientation is ${orientation}, so that it is turned when it is read, which its parts cannot be`,
    "write it upright, such as vips autorot IN.tif OUT.tif[tile,bigtiff]",
  );

const oldJpeg = (file: string) =>
  fileError(
    "unsupported-file",
    file,
    "it is compressed with JPEG in the way of TIFF 6.0, whose blocks cannot be read one by one",
    "write it anew, such as gdal_translate -co TILED=YES -co COMPRESS=DEFLATE IN.tif OUT.tif",
  );
