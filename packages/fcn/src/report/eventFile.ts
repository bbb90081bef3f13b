import { io } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { maskedCrc32c } from "../encoding/crc32c.js";
import { encode, type Message, type Schema } from "../encoding/protobuf.js";
import { makeFolder } from "../files/write.js";

const { open, rm } = nodeModule("createEventFile", "node:fs/promises");
const { join } = nodeModule("createEventFile", "node:path");

/** Numbers by tag, such as `loss`. */
export type Scalars = Readonly<Record<string, number>>;

/** A file of TensorBoard events: TFRecords of `tensorflow.Event` messages (Node). */
export interface EventFile {
  readonly path: string;
  /** Appends one event with all scalars of a step. Values that are not finite are left out. */
  write(step: number, scalars: Scalars): Promise<void>;
  close(): Promise<void>;
}

const OP = "TensorBoard events";

/** The part of TensorFlow's event.proto and summary.proto that scalars need. */
const SCHEMA = {
  Event: {
    wallTime: [1, "double"],
    step: [2, "int"],
    fileVersion: [3, "string"],
    summary: [5, "Summary"],
    sessionLog: [7, "SessionLog"],
  },
  Summary: { value: [1, "Value"] },
  Value: { tag: [1, "string"], simpleValue: [2, "float"] },
  SessionLog: { status: [1, "int"] },
} as const satisfies Schema;

/** SessionLog.SessionStatus: tells TensorBoard to discard earlier events from this step on. */
const START = 1;

/**
 * Creates an event file in `folder`, which is created too. For a resumed run, it tells TensorBoard to discard the steps
 * from `firstStep` on in earlier files. An event that cannot be written in full is removed again. Throws `disk-full` or
 * `unwritable-file`.
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
  const append = async (event: Message): Promise<void> => {
    const pieces = encode(SCHEMA, "Event", { wallTime: Date.now() / 1000, ...event }) as Uint8Array[];
    const bytes = record(new Uint8Array(Buffer.concat(pieces)));
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
    await append({ fileVersion: "brain.Event:2" });
    // TensorBoard takes a run's first START for its beginning, so the first file needs one too.
    await append({ step: firstStep, sessionLog: { status: START } });
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
      await append({ step, summary: { value: values.map(([tag, simpleValue]) => ({ tag, simpleValue })) } });
    },
    close: () => file.close(),
  };
}

/** A TFRecord: length, masked CRC of the length, data, masked CRC of the data. */
function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return out;
}
