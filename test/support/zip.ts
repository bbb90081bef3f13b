import { crc32, deflateRawSync } from "node:zlib";

/** A file for an archive. What the records claim can be set apart from what is there. */
export interface ZipPart {
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** Unpacked bytes that the directory claims. */
  readonly claimedSize?: number;
  readonly claimedPacked?: number;
  readonly claimedOffset?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** Write sizes and offset to the zip64 field only. */
  readonly zip64?: boolean;
  /** The extra field of the directory, in place of none or of the zip64 field. */
  readonly extra?: Uint8Array;
  readonly comment?: string;
  readonly localName?: string;
  readonly localExtra?: Uint8Array;
}

const FULL = 0xffffffff;
const text = (value: string) => new TextEncoder().encode(value);

/** Little-endian fields: [bytes, value] one after another. */
export function fields(list: readonly (readonly [number, number | bigint])[]): Uint8Array {
  const out = new Uint8Array(list.reduce((total, [size]) => total + size, 0));
  let at = 0;
  for (const [size, value] of list) {
    for (let i = 0; i < size; i++) out[at + i] = Number((BigInt(value) >> BigInt(8 * i)) & 0xffn);
    at += size;
  }
  return out;
}

export const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A zip archive by hand, so that it can lie; an array of pairs may have a name twice. */
export function zip(
  files: Record<string, ZipPart> | readonly (readonly [string, ZipPart])[],
  { zip64 = false, comment = "" } = {},
): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, part] of Array.isArray(files) ? files : Object.entries(files)) {
    const packed = part.deflate ? deflateRawSync(part.data) : part.data;
    const size = part.claimedSize ?? part.data.length;
    const packedSize = part.claimedPacked ?? packed.length;
    const at = part.claimedOffset ?? offset;
    const [nameBytes, localName] = [text(name), text(part.localName ?? name)];
    const [localExtra, comment] = [part.localExtra ?? new Uint8Array(0), text(part.comment ?? "")];
    const zip64 = part.zip64
      ? fields([
          [2, 0x9999],
          [2, 1],
          [1, 0],
          [2, 1],
          [2, 24],
          [8, size],
          [8, packedSize],
          [8, at],
        ])
      : new Uint8Array(0);
    const extra = part.extra ?? zip64;
    const clip = (value: number) => (part.zip64 ? FULL : value);
    const common = (length: number) =>
      [
        [2, 20],
        [2, part.flags ?? 0],
        [2, part.method ?? (part.deflate ? 8 : 0)],
        [4, 0],
        [4, part.crc ?? crc32(part.data)],
        [4, clip(packedSize)],
        [4, clip(size)],
        [2, length],
      ] as const;
    const local = fields([[4, 0x04034b50], ...common(localName.length), [2, localExtra.length]]);
    locals.push(join(local, localName, localExtra, packed));
    directory.push(
      join(
        fields([
          [4, 0x02014b50],
          [2, 20],
          ...common(nameBytes.length),
          [2, extra.length],
          [2, comment.length],
          [2, 0],
          [2, 0],
          [4, 0],
          [4, clip(at)],
        ]),
        nameBytes,
        extra,
        comment,
      ),
    );
    offset += locals.at(-1)!.length;
  }
  const length = directory.reduce((total, part) => total + part.length, 0);
  const count = directory.length;
  const end64 = fields([
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, length],
    [8, offset],
  ]);
  const locator = fields([
    [4, 0x07064b50],
    [4, 0],
    [8, offset + length],
    [4, 1],
  ]);
  const full = (value: number, most: number) => (zip64 ? most : value);
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, full(count, 0xffff)],
    [2, full(count, 0xffff)],
    [4, full(length, FULL)],
    [4, full(offset, FULL)],
    [2, comment.length],
  ]);
  return join(...locals, ...directory, ...(zip64 ? [end64, locator] : []), end, text(comment));
}
