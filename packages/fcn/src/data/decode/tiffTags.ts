/** What the first directory of a TIFF file declares about its pixels. */
export interface TiffTags {
  readonly bits: number;
  readonly bands: number;
  /** 0 and 1 are grey, 2 is RGB, 3 is a palette, 5 is CMYK. */
  readonly photometric: number;
  /** One entry for each band beyond the colours: 1 and 2 are alpha, 0 is unspecified. */
  readonly extraSamples: readonly number[];
  /** The value of pixels without a measurement, as text (GDAL's tag). */
  readonly noData: string | undefined;
}

const TAGS = { bits: 258, photometric: 262, bands: 277, extraSamples: 338, noData: 42113 } as const;
/** Bytes per value of each TIFF and BigTIFF type. */
const SIZES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
};

export function isTiff(bytes: Uint8Array): boolean {
  return /^(II[*+]\0|MM\0[*+])/.test(String.fromCharCode(...bytes.subarray(0, 4)));
}

/** How a TIFF or BigTIFF file writes numbers, and where its first directory lies. */
export interface TiffHeader {
  readonly little: boolean;
  readonly isBig: boolean;
  readonly directory: number;
}

/** Reads the first 16 bytes of a TIFF; 8 are enough if it is no BigTIFF. */
export function tiffHeader(bytes: Uint8Array): TiffHeader {
  const view = viewOf(bytes);
  const little = bytes[0] === 0x49;
  const isBig = view.getUint16(2, little) === 43;
  return { little, isBig, directory: isBig ? offsetAt(view, 8, { little, isBig }) : view.getUint32(4, little) };
}

/** A field of a directory. */
export interface TiffEntry {
  readonly type: number;
  /** Number of values. */
  readonly count: number;
  readonly bytes: number;
  /** Where the values are, if the entry itself holds them: a position in the directory's bytes. */
  readonly inside: number | undefined;
  /** Where the values are in the file, if the entry does not hold them. */
  readonly offset: number;
}

/** Most entries of a directory; files have a few dozen. */
export const MOST_ENTRIES = 4096;

/** Bytes of a directory before its entries, and of an entry. */
export const entrySizes = ({ isBig }: Pick<TiffHeader, "isBig">): readonly [before: number, entry: number] =>
  isBig ? [8, 20] : [2, 12];

/** The entries of the directory that begins at `start` in `bytes`, by their tags. */
export function tiffEntries(bytes: Uint8Array, start: number, header: TiffHeader): Map<number, TiffEntry> {
  const { little, isBig } = header;
  const view = viewOf(bytes);
  const [before, size] = entrySizes(header);
  const entries = new Map<number, TiffEntry>();
  for (let i = 0; i < Math.min(entryCount(bytes, start, header), MOST_ENTRIES); i++) {
    const entry = start + before + i * size;
    const [tag, type] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
    const count = offsetAt(view, entry + 4, header);
    const value = entry + (isBig ? 12 : 8);
    const length = count * (SIZES[type] ?? 1);
    const inside = length > (isBig ? 8 : 4) ? undefined : value;
    entries.set(tag, { type, count, bytes: length, inside, offset: offsetAt(view, value, header) });
  }
  return entries;
}

/** How many entries the directory that begins at `start` in `bytes` says that it has. */
export const entryCount = (bytes: Uint8Array, start: number, { little, isBig }: TiffHeader): number =>
  isBig ? offsetAt(viewOf(bytes), start, { little, isBig }) : viewOf(bytes).getUint16(start, little);

const offsetAt = (view: DataView, at: number, { little, isBig }: Pick<TiffHeader, "little" | "isBig">): number =>
  isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/**
 * Reads TIFF 6.0 and BigTIFF in either byte order. Undefined for other files, and if the directory lies beyond the
 * bytes.
 */
export function readTiffTags(bytes: Uint8Array): TiffTags | undefined {
  if (!isTiff(bytes)) return undefined;
  try {
    const header = tiffHeader(bytes);
    const entries = tiffEntries(bytes, header.directory, header);
    return tagsOf(header.little, (tag) => {
      const entry = entries.get(tag);
      return entry && { ...entry, values: bytes.subarray(entry.inside ?? entry.offset) };
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A field as it stands in the file. */
export interface TiffField extends Pick<TiffEntry, "type" | "count"> {
  readonly values: Uint8Array;
}

/** The first `most` values of a field of whole numbers; none for another type. */
export function tiffNumbers({ values, type, count }: TiffField, little: boolean, most = count): number[] {
  const view = viewOf(values);
  const size = SIZES[type] as number;
  const at = (i: number): number => {
    if (type === 1) return view.getUint8(i);
    if (type === 3) return view.getUint16(i * size, little);
    return type === 4 ? view.getUint32(i * size, little) : Number(view.getBigUint64(i * size, little));
  };
  return [1, 3, 4, 16].includes(type) ? Array.from({ length: Math.min(count, most) }, (_, i) => at(i)) : [];
}

/** What a directory declares. */
export function tagsOf(little: boolean, fieldOf: (tag: number) => TiffField | undefined): TiffTags {
  const numbers = (tag: number): number[] => {
    const field = fieldOf(tag);
    return field ? tiffNumbers(field, little, 256) : [];
  };
  const text = (tag: number): string | undefined => {
    const field = fieldOf(tag);
    if (field?.type !== 2) return undefined;
    const letters = field.values.subarray(0, Math.min(field.count, 64));
    return String.fromCharCode(...letters).replace(/\0.*$/s, "");
  };
  return {
    bits: numbers(TAGS.bits)[0] ?? 1,
    bands: numbers(TAGS.bands)[0] ?? 1,
    photometric: numbers(TAGS.photometric)[0] ?? 1,
    extraSamples: numbers(TAGS.extraSamples),
    noData: text(TAGS.noData),
  };
}
