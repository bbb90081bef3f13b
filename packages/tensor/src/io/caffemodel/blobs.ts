import { elementCount, isShape } from "../arrays/hostArray.js";
import { corruptFile, type Place, unsupportedFile } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { BYTES, FIXED32, FIXED64, type Field, VARINT, Varints, type WireReader } from "./wire.js";

/** Numbers in the file: packed contiguously, or each after its own tag. */
interface Segment {
  readonly begin: number;
  readonly count: number;
  /** Bytes of a number. */
  readonly size: NumberSize;
  /** Bytes from one number to the next. */
  readonly step: number;
}

type NumberSize = 4 | 8;

/** A caffe.BlobProto whose numbers were located but not read. */
export interface Blob {
  readonly shape: readonly number[];
  readonly stored: "float32" | "float64";
  read(): Promise<ArrayBuffer>;
}

/** Fields of caffe.BlobProto: num, channels, height, width (old files), shape, and the numbers by their size. */
const LEGACY_SIZES = [1, 2, 3, 4];
const SHAPE = 7;
const SHAPE_DIM = 1;
const NUMBERS: ReadonlyMap<number, NumberSize> = new Map([
  [5, 4],
  [8, 8],
]);

/** Caffe writes one segment. A file with more than this many is made to fill the memory. */
const MAX_SEGMENTS = 1024;

/**
 * The blob [begin, end); undefined if it has neither sizes nor numbers. Throws `unsupported-file` if it has a shape,
 * but numbers in a form of another version of Caffe, such as half precision.
 */
export async function readBlob(reader: WireReader, at: Place, begin: number, end: number): Promise<Blob | undefined> {
  const legacy: (number | undefined)[] = [];
  const dims: number[] = [];
  const segments: Segment[] = [];
  let hasShape = false;
  await reader.fields(begin, end, (field) => {
    const size = NUMBERS.get(field.number);
    if (size !== undefined) return addSegment(reader, at, segments, field, size, end);
    if (field.wire === VARINT && LEGACY_SIZES.includes(field.number)) legacy[field.number - 1] = field.value;
    if (field.wire !== BYTES || field.number !== SHAPE) return undefined;
    hasShape = true;
    return readDims(reader, at, field, dims);
  });
  const shape = hasShape ? dims : LEGACY_SIZES.map((_, i) => legacy[i] ?? 0);
  if (!hasShape && legacy.length === 0 && segments.length === 0) return undefined;
  return blobOf(reader.source, at, shape, segments);
}

async function addSegment(
  reader: WireReader,
  at: Place,
  segments: Segment[],
  { number, wire, begin, end }: Field,
  size: NumberSize,
  limit: number,
): Promise<number | undefined> {
  const packed = wire === BYTES && (end - begin) % size === 0;
  if (!packed && wire !== (size === 4 ? FIXED32 : FIXED64)) throw corruptFile(at, "its numbers are damaged");
  if (segments.length === MAX_SEGMENTS) {
    throw unsupportedFile(at, `its numbers lie in more than ${MAX_SEGMENTS} pieces`, "save the model again with Caffe");
  }
  if (packed) {
    if (end > begin) segments.push({ begin, count: (end - begin) / size, size, step: size });
    return end;
  }
  const count = Math.max(1, await reader.countFields(number * 8 + wire, begin - 1, limit, size + 1));
  segments.push({ begin, count, size, step: size + 1 });
  return begin - 1 + count * (size + 1);
}

/** caffe.BlobShape: repeated int64 dim, packed or not. */
async function readDims(reader: WireReader, at: Place, shape: Field, dims: number[]): Promise<void> {
  await reader.fields(shape.begin, shape.end, (field) => {
    if (field.number !== SHAPE_DIM) return undefined;
    if (field.wire === BYTES) return readPackedDims(reader.source, at, field, dims);
    dims.push(field.wire === VARINT ? field.value : Number.NaN);
    return undefined;
  });
}

const MAX_PACKED_DIMS = 640;

async function readPackedDims(source: Source, at: Place, { begin, end }: Field, dims: number[]): Promise<void> {
  if (end - begin > MAX_PACKED_DIMS) throw corruptFile(at, "its shape has too many sizes");
  const varints = new Varints(new Uint8Array(await source.read(begin, end)));
  while (varints.at < end - begin) {
    const size = varints.next();
    if (Number.isNaN(size)) throw corruptFile(at, "its shape is damaged");
    dims.push(size);
  }
}

function blobOf(source: Source, at: Place, shape: readonly number[], segments: readonly Segment[]): Blob {
  const size = segments[0]?.size ?? 4;
  if (segments.some((segment) => segment.size !== size))
    throw corruptFile(at, "it mixes numbers of single and double precision");
  const found = segments.reduce((total, { count }) => total + count, 0);
  if (!isShape(shape)) throw corruptFile(at, "its shape is damaged");
  if (found === 0 && elementCount(shape) > 0) {
    const problem = "it has a shape, but no numbers of single or double precision";
    throw unsupportedFile(at, problem, "save it with BVLC's Caffe");
  }
  if (elementCount(shape) !== found) {
    throw corruptFile(at, `its shape [${shape.join(", ")}] needs ${elementCount(shape)} numbers, it has ${found}`);
  }
  const read = () => readSegments(source, segments, size, found);
  return { shape, stored: size === 8 ? "float64" : "float32", read };
}

/** How many numbers to read at once if each has a tag. */
const PIECE = 2 ** 18;

async function readSegments(
  source: Source,
  segments: readonly Segment[],
  size: NumberSize,
  total: number,
): Promise<ArrayBuffer> {
  const [only] = segments;
  if (segments.length === 1 && only!.step === size) return source.read(only!.begin, only!.begin + total * size);
  const out = new Uint8Array(total * size);
  let at = 0;
  for (const { begin, count, step } of segments) {
    for (let first = 0; first < count; first += PIECE) {
      const many = Math.min(PIECE, count - first);
      const start = begin + first * step;
      const bytes = new Uint8Array(await source.read(start, start + (many - 1) * step + size));
      for (let i = 0; i < many; i++, at += size) {
        for (let b = 0; b < size; b++) out[at + b] = bytes[i * step + b]!;
      }
    }
  }
  return out.buffer;
}
