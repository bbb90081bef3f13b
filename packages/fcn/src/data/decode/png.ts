import { damagedFile, MOST_PIXELS, reasonOf, tooManyPixels } from "../files/errors.js";
import { inflate } from "./inflate.js";
import { readChunks } from "./pngChunks.js";

/**
 * A PNG image as stored: palette indices stay indices at any depth and interlacing. Label maps need this, and decoders
 * for photographs discard it.
 */
export interface DecodedPng {
  readonly height: number;
  readonly width: number;
  readonly kind: "grey" | "rgb" | "palette" | "grey-alpha" | "rgb-alpha";
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  readonly channels: number;
  /** Unpacked samples in interleaved rows, height x width x channels. */
  readonly samples: Uint8Array | Uint16Array;
  /** RGB triples of a palette image. */
  readonly palette?: Uint8Array;
}

/** Whether the samples of a pixel begin with red, green and blue. */
export const isRgb = ({ kind }: DecodedPng): boolean => kind === "rgb" || kind === "rgb-alpha";

/** Colour type -> kind, channels and the depths that the standard allows. */
const KINDS: Readonly<Record<number, readonly [DecodedPng["kind"], number, readonly number[]]>> = {
  0: ["grey", 1, [1, 2, 4, 8, 16]],
  2: ["rgb", 3, [8, 16]],
  3: ["palette", 1, [1, 2, 4, 8]],
  4: ["grey-alpha", 2, [8, 16]],
  6: ["rgb-alpha", 4, [8, 16]],
};
/** The passes of Adam7: first column and row, and the steps between columns and between rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

interface Header extends Omit<DecodedPng, "samples" | "palette"> {
  readonly interlaced: boolean;
}

type Pass = ReturnType<typeof passesOf>[number];

/**
 * Decodes a PNG file (ISO/IEC 15948) of any kind, depth and interlacing. Throws a TensorError that names `file`
 * (`corrupt-file`, `unsupported-file`) for anything that is truncated, damaged or not a PNG.
 */
export async function decodePng(file: string, bytes: Uint8Array): Promise<DecodedPng> {
  const chunks = readChunks(file, bytes);
  const header = readHeader(file, chunks.get("IHDR")?.[0]);
  const palette = chunks.get("PLTE")?.[0];
  if (header.kind === "palette" && (palette === undefined || palette.length === 0 || palette.length % 3 !== 0)) {
    throw damagedFile(file, "it is a palette PNG without a whole palette");
  }
  const passes = passesOf(header);
  const wanted = passes.reduce((sum, pass) => sum + pass.height * (1 + pass.rowBytes), 0);
  const raw = await inflate(chunks.get("IDAT") ?? [], wanted).catch((cause: unknown) => {
    throw damagedFile(file, `its image data is cut off or damaged (${reasonOf(cause)})`, cause);
  });
  if (raw.length < wanted) throw damagedFile(file, `it holds ${raw.length} of the ${wanted} bytes of its image`);
  const samples = readSamples(file, header, passes, raw);
  const { interlaced: _, ...about } = header;
  return { ...about, samples, ...(palette && header.kind === "palette" ? { palette } : {}) };
}

function readHeader(file: string, data: Uint8Array | undefined): Header {
  if (data === undefined || data.length !== 13) throw damagedFile(file, "it has no PNG header");
  const view = new DataView(data.buffer, data.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, compression, filter, interlace] = data.subarray(8) as unknown as [number, ...number[]];
  const format = KINDS[type as number];
  const known = compression === 0 && filter === 0 && (interlace === 0 || interlace === 1);
  if (!format?.[2].includes(depth) || !known || !width || !height) {
    throw damagedFile(file, `its PNG header is not valid (${height}x${width}, ${depth} bits, colour type ${type})`);
  }
  const [kind, channels] = format;
  if (width * height > MOST_PIXELS) throw tooManyPixels(file, `it is ${height}x${width},`);
  return { width, height, kind, channels, depth, interlaced: interlace === 1 };
}

function passesOf({ width, height, channels, depth, interlaced }: Header) {
  return (interlaced ? PASSES : WHOLE)
    .map(([x, y, stepX, stepY]) => {
      const columns = Math.ceil((width - x) / stepX);
      const rows = Math.ceil((height - y) / stepY);
      const rowBytes = Math.ceil((columns * channels * depth) / 8);
      return { x, y, stepX, stepY, width: columns, height: rows, rowBytes };
    })
    .filter((pass) => pass.width > 0);
}

function readSamples(file: string, header: Header, passes: readonly Pass[], raw: Uint8Array): Uint8Array | Uint16Array {
  const { width, height, channels, depth } = header;
  const Samples = depth === 16 ? Uint16Array : Uint8Array;
  const out = new Samples(width * height * channels);
  const pixelBytes = Math.max(1, (channels * depth) >> 3);
  let at = 0;
  for (const pass of passes) {
    let above = new Uint8Array(pass.rowBytes);
    for (let row = 0; row < pass.height; row++) {
      const filter = raw[at] as number;
      const line = raw.subarray(at + 1, at + 1 + pass.rowBytes);
      if (filter > 4) throw damagedFile(file, `row ${row} of its image data has the unknown filter ${filter}`);
      unfilter(filter, line, above, pixelBytes);
      spread(line, depth, pass.width * channels, out, {
        from: ((pass.y + row * pass.stepY) * width + pass.x) * channels,
        channels,
        step: pass.stepX * channels,
      });
      above = line as Uint8Array<ArrayBuffer>;
      at += 1 + pass.rowBytes;
    }
  }
  return out;
}

/** Reverses a row's filter in place: 0 none, 1 left, 2 above, 3 mean of both, 4 Paeth. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, pixel: number): void {
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const left = i < pixel ? 0 : (line[i - pixel] as number);
    const up = above[i] as number;
    if (filter === 1) line[i]! += left;
    else if (filter === 2) line[i]! += up;
    else if (filter === 3) line[i]! += (left + up) >> 1;
    else line[i]! += paeth(left, up, i < pixel ? 0 : (above[i - pixel] as number));
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Unpacks a row of samples and writes its pixels `step` samples apart. */
function spread(
  line: Uint8Array,
  depth: number,
  count: number,
  out: Uint8Array | Uint16Array,
  { from, channels, step }: { readonly from: number; readonly channels: number; readonly step: number },
): void {
  const place = (i: number): number => from + Math.floor(i / channels) * step + (i % channels);
  if (depth === 8 && step === channels) {
    out.set(line, from);
  } else if (depth === 16) {
    for (let i = 0; i < count; i++) out[place(i)] = ((line[2 * i] as number) << 8) | (line[2 * i + 1] as number);
  } else {
    const mask = (1 << depth) - 1;
    for (let i = 0; i < count; i++) {
      const bit = i * depth;
      out[place(i)] = ((line[bit >> 3] as number) >> (8 - depth - (bit & 7))) & mask;
    }
  }
}
