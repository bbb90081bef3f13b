import { defect } from "@fcn/tensor/internal";
import { concatBytes } from "./bytes.js";

/** How a field is encoded: as a varint, a 32-bit or 64-bit float, UTF-8, raw bytes, or a message of the named type. */
type FieldKind = "int" | "float" | "double" | "string" | "bytes" | (string & {});

/** For each message type, the number and kind of each field by name. A list of values repeats the field. */
export type Schema = Readonly<Record<string, Readonly<Record<string, readonly [number, FieldKind]>>>>;

/** Bytes that are read only when they are written, so that large values need not be held in memory. */
export interface Deferred {
  readonly byteLength: number;
  readonly read: () => Promise<Uint8Array>;
}

type Piece = Uint8Array | Deferred;
type FieldValue = number | string | Piece | Message;

/** A message as plain data, with fields by name. A list repeats its field, and undefined omits it. */
export interface Message {
  readonly [field: string]: FieldValue | readonly FieldValue[] | undefined;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const FIXED64 = 1;

/** Encodes a message in the wire format of Protocol Buffers, as pieces to be written in order. */
export function encode(schema: Schema, name: string, message: Message): Piece[] {
  const fields = schema[name];
  const pieces = Object.entries(message).flatMap(([key, value]) => {
    const field = fields?.[key];
    if (field === undefined) throw defect(`protobuf: ${name} has no field ${key}`);
    const [number, kind] = field;
    const values = (Array.isArray(value) ? value : [value]) as readonly (FieldValue | undefined)[];
    return values.flatMap((item) => (item === undefined ? [] : encodeField(schema, number, kind, item)));
  });
  return joined(pieces);
}

export const lengthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, piece) => sum + piece.byteLength, 0);

function encodeField(schema: Schema, number: number, kind: FieldKind, value: FieldValue): Piece[] {
  if (kind === "int") return [varint(number * 8 + VARINT), varint(value as number)];
  if (kind === "float") return [varint(number * 8 + FIXED32), new Uint8Array(Float32Array.of(value as number).buffer)];
  if (kind === "double") return [varint(number * 8 + FIXED64), new Uint8Array(Float64Array.of(value as number).buffer)];
  const content = contentOf(schema, kind, value);
  return [varint(number * 8 + LENGTH_DELIMITED), varint(lengthOf(content)), ...content];
}

function contentOf(schema: Schema, kind: string, value: FieldValue): Piece[] {
  if (kind === "string") return [new TextEncoder().encode(value as string)];
  if (kind === "bytes") return [value as Piece];
  return encode(schema, kind, value as Message);
}

/** Seven bits per byte, lowest first; negative numbers in 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Merges adjacent pieces that are in memory. */
function joined(pieces: readonly Piece[]): Piece[] {
  const runs: (Deferred | Uint8Array[])[] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    if (!(piece instanceof Uint8Array)) runs.push(piece);
    else if (Array.isArray(last)) last.push(piece);
    else runs.push([piece]);
  }
  return runs.map((run) => (Array.isArray(run) ? concatBytes(run) : run));
}
