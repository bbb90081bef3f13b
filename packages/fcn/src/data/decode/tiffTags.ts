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
const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 16: 8 };

export function isTiff(bytes: Uint8Array): boolean {
  return /^(II[*+]\0|MM\0[*+])/.test(String.fromCharCode(...bytes.subarray(0, 4)));
}

/**
 * Reads TIFF 6.0 and BigTIFF in either byte order. Undefined for other files, and if the directory lies beyond the
 * bytes.
 */
export function readTiffTags(bytes: Uint8Array): TiffTags | undefined {
  if (!isTiff(bytes)) return undefined;
  try {
    return tagsOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes[0] === 0x49);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function tagsOf(view: DataView, little: boolean): TiffTags {
  const isBig = view.getUint16(2, little) === 43;
  const offset = (at: number): number => (isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const start = offset(isBig ? 8 : 4);
  const count = isBig ? offset(start) : view.getUint16(start, little);
  const [first, size, inline] = isBig ? [start + 8, 20, 8] : [start + 2, 12, 4];
  const found = new Map<number, { type: number; at: number; length: number }>();
  for (let i = 0; i < Math.min(count, 4096); i++) {
    const entry = first + i * size;
    const [tag, type] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
    const length = offset(entry + 4);
    const value = entry + (isBig ? 12 : 8);
    const at = length * (SIZES[type] ?? 1) > inline ? offset(value) : value;
    found.set(tag, { type, at, length });
  }
  const numbers = (tag: number): number[] => {
    const { type = 0, at = 0, length = 0 } = found.get(tag) ?? {};
    const read = { 1: "getUint8", 3: "getUint16", 4: "getUint32" }[type] as "getUint16" | undefined;
    if (read === undefined) return [];
    return Array.from({ length: Math.min(length, 256) }, (_, i) =>
      view[read](at + i * (SIZES[type] as number), little),
    );
  };
  const text = (tag: number): string | undefined => {
    const { type, at = 0, length = 0 } = found.get(tag) ?? {};
    if (type !== 2) return undefined;
    const letters = Array.from({ length: Math.min(length, 64) }, (_, i) => view.getUint8(at + i));
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
