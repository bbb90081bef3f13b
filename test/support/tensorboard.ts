import { readFile } from "node:fs/promises";
import protobuf from "protobufjs";

/** From TensorFlow's event.proto and summary.proto, written down anew so that a wrong number in the library shows. */
const PROTO = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3; bytes graph_def = 4; Summary summary = 5; bytes log_message = 6; SessionLog session_log = 7;
    bytes tagged_run_metadata = 8; bytes meta_graph_def = 9;
  }
  bytes source_metadata = 10;
}
message SessionLog {
  enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
  SessionStatus status = 1; string checkpoint_path = 2; string msg = 3;
}
message Summary {
  message Value {
    string node_name = 7; string tag = 1; bytes metadata = 9;
    oneof value {
      float simple_value = 2; bytes obsolete_old_style_histogram = 3; bytes image = 4; bytes histo = 5; bytes audio = 6; bytes tensor = 8;
    }
  }
  repeated Value value = 1;
}
`;

const Event = protobuf.parse(PROTO).root.lookupType("Event");

/** An event as protobufjs reads it; what is not in the file is not in the object. */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simpleValue?: number }[] };
  readonly sessionLog?: { readonly status: string };
}

/** CRC-32C by polynomial division, bit for bit, highest power first. */
export function dividedCrc32c(bytes: Uint8Array): number {
  const stream = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1));
  stream.push(...new Array<number>(32).fill(0));
  for (let i = 0; i < 32; i++) stream[i] = (stream[i] ?? 0) ^ 1;
  let rest = 0n;
  for (const bit of stream) {
    rest = (rest << 1n) | BigInt(bit);
    if (rest >> 32n) rest ^= 0x11edc6f41n;
  }
  const reflected = Array.from({ length: 32 }, (_, i) => (rest >> BigInt(31 - i)) & 1n);
  return Number(reflected.reduce((value, bit, i) => value | (bit << BigInt(i)), 0n) ^ 0xffffffffn);
}

/** What a masked CRC of a TFRecord was made from. */
export function unmask(masked: number): number {
  const turned = (masked - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}

/** The data of each TFRecord. Throws where a record is cut off or one of its two checksums is wrong. */
export function decodeRecords(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 12 + Number(view.getBigUint64(at, true));
    const parts = [bytes.subarray(at, at + 8), bytes.subarray(at + 12, end)] as const;
    for (const [part, place] of [[parts[0], at + 8] as const, [parts[1], end] as const]) {
      const [stored, own] = [unmask(view.getUint32(place, true)), dividedCrc32c(part)];
      if (stored !== own) throw new Error(`the CRC at ${place} is of ${stored.toString(16)}, not ${own.toString(16)}`);
    }
    records.push(parts[1]);
    at = end + 4;
  }
  return records;
}

/** The events of a file. Throws for a damaged record, and for one that holds what the schema does not know. */
export async function readEvents(path: string): Promise<TensorboardEvent[]> {
  return decodeRecords(new Uint8Array(await readFile(path))).map((record) => {
    const event = Event.decode(record);
    if (Event.encode(event).finish().length !== record.length)
      throw new Error(`an event of ${path} has unknown fields`);
    return Event.toObject(event, { longs: Number, enums: String }) as TensorboardEvent;
  });
}

/** The scalars of the events that have some, by step in the order of the file. */
export const scalarsOf = (events: readonly TensorboardEvent[]): [step: number, Record<string, number>][] =>
  events.flatMap(({ step = 0, summary }) => {
    if (summary === undefined) return [];
    return [[step, Object.fromEntries(summary.value.map(({ tag, simpleValue = Number.NaN }) => [tag, simpleValue]))]];
  });
