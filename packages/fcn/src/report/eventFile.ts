import { io } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { maskedCrc32c } from "./crc32c.js";
import { makeFolder } from "./writeFile.js";

const { open, rm } = nodeModule("createEventFile", "node:fs/promises");
const { join } = nodeModule("createEventFile", "node:path");

/** Numbers by tag, such as `loss`. */
export type Scalars = Readonly<Record<string, number>>;

/** A file of TensorBoard events: TFRecords of `tensorflow.Event` messages. Runs in Node only. */
export interface EventFile {
  readonly path: string;
  /** Appends one event with all scalars of a step. Values that are no numbers are left out. */
  write(step: number, scalars: Scalars): Promise<void>;
  close(): Promise<void>;
}

const OP = "TensorBoard events";

/**
 * Begins a new event file in `folder`, which is made. Where a run goes on, TensorBoard is told to forget the steps from `firstStep` on of the
 * files before it. What cannot be written whole is taken back. Throws a TensorError: "disk-full" or "unwritable-file".
 */
export async function createEventFile(folder: string, firstStep = 0): Promise<EventFile> {
  await makeFolder(OP, folder);
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, "0");
  const path = join(folder, `events.out.tfevents.${seconds}.fcn.${crypto.randomUUID()}`);
  const refuse = (cause: unknown): never => {
    throw io.unwritable(OP, path, cause);
  };
  const file = await open(path, "wx").catch(refuse);
  let size = 0;
  const append = async (event: Uint8Array): Promise<void> => {
    const bytes = record(event);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += (await file.write(bytes, at, bytes.length - at, size + at)).bytesWritten;
      }
    } catch (cause) {
      await file.truncate(size).catch(() => {});
      refuse(cause);
    }
    size += bytes.length;
  };
  try {
    await append(message(time(), bytesField(3, new TextEncoder().encode("brain.Event:2"))));
    // SessionLog with the status START. TensorBoard takes the first of a run for its beginning, so that file has one too.
    await append(message(time(), intField(2, firstStep), bytesField(7, intField(1, 1))));
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return {
    path,
    write: async (step, scalars) => {
      const values = Object.entries(scalars).filter(([, value]) => Number.isFinite(value));
      if (values.length === 0) return;
      const summary = message(...values.map(([tag, value]) => bytesField(1, scalarValue(tag, value))));
      await append(message(time(), intField(2, step), bytesField(5, summary)));
    },
    close: () => file.close(),
  };
}

/** Length, masked CRC of the length, data, masked CRC of the data. */
function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return out;
}

const message = (...fields: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(fields));

/** Field 1 of an event: seconds since 1970, a double. */
function time(): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = (1 << 3) | 1;
  new DataView(out.buffer).setFloat64(1, Date.now() / 1000, true);
  return out;
}

function scalarValue(tag: string, value: number): Uint8Array {
  const number = new Uint8Array(5);
  number[0] = (2 << 3) | 5;
  new DataView(number.buffer).setFloat32(1, value, true);
  return message(bytesField(1, new TextEncoder().encode(tag)), number);
}

const intField = (field: number, value: number): Uint8Array => message(varint(field << 3), varint(value));

const bytesField = (field: number, bytes: Uint8Array): Uint8Array =>
  message(varint((field << 3) | 2), varint(bytes.length), bytes);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}
