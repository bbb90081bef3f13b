import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { crc32c } from "../../../packages/fcn/dist/report/crc32c.js";
import { createEventFile } from "../../../packages/fcn/dist/report/eventFile.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-events");

/** CRC-32C by polynomial division, bit for bit, highest power first. */
function dividedCrc32c(bytes: Uint8Array): number {
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

type Fields = Map<number, (Uint8Array | number)[]>;

/** A protobuf message by field number: varints and fixed numbers as numbers, the rest as bytes. */
function parseMessage(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const take = (length: number): number => {
      at += length;
      return at - length;
    };
    const read: Record<number, () => Uint8Array | number> = {
      0: varint,
      1: () => view.getFloat64(take(8), true),
      2: () => {
        const length = varint();
        const from = take(length);
        return bytes.subarray(from, from + length);
      },
      5: () => view.getFloat32(take(4), true),
    };
    const values = fields.get(key >> 3) ?? [];
    fields.set(key >> 3, values);
    values.push(read[key & 7]!());
  }
  return fields;
}

/** The events of a file; both checksums of each record are proved. */
function parseRecords(bytes: Uint8Array): Fields[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unmask = (masked: number): number => {
    const turned = (masked - 0xa282ead8) >>> 0;
    return ((turned >>> 17) | (turned << 15)) >>> 0;
  };
  const events: Fields[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmask(view.getUint32(at + 8, true))).toBe(dividedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(dividedCrc32c(data));
    events.push(parseMessage(data));
    at += 16 + length;
  }
  return events;
}

const text = (value: Uint8Array | number | undefined): string => new TextDecoder().decode(value as Uint8Array);

function scalarsOf(event: Fields): [string, number][] {
  const [summary] = event.get(5) ?? [];
  if (summary === undefined) return [];
  return (parseMessage(summary as Uint8Array).get(1) ?? []).map((value) => {
    const fields = parseMessage(value as Uint8Array);
    return [text(fields.get(1)?.[0]), fields.get(2)?.[0] as number];
  });
}

describe("CRC-32C", () => {
  it("is that of the standard", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(dividedCrc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });
});

describe("an event file", () => {
  it("is read back by the formats of TFRecord and protobuf", async () => {
    const events = await createEventFile(join(root, "run"));
    await events.write(10, { loss: 0.5, "mean IU": 0.25, gone: Number.NaN });
    await events.write(70_000, { loss: -1.5e-9 });
    await events.close();
    const [name = ""] = await readdir(join(root, "run"));
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const [first, , ...rest] = parseRecords(new Uint8Array(await readFile(events.path)));
    expect(text(first?.get(3)?.[0])).toBe("brain.Event:2");
    expect(rest.map((event) => event.get(2)?.[0])).toEqual([10, 70_000]);
    expect(rest.map(scalarsOf)).toEqual([
      [
        ["loss", 0.5],
        ["mean IU", 0.25],
      ],
      [["loss", Math.fround(-1.5e-9)]],
    ]);
    const age = Date.now() / 1000 - (first?.get(1)?.[0] as number);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60);
  });

  it.each([
    ["at its beginning", undefined, 0],
    ["that goes on, at the step from which older events are void", 300, 300],
  ])("says that a run starts: one %s", async (name, firstStep, told) => {
    const events = await createEventFile(join(root, name), firstStep);
    await events.close();
    const [, started] = parseRecords(new Uint8Array(await readFile(events.path)));
    expect(started?.get(2)).toEqual([told]);
    expect(parseMessage(started?.get(7)?.[0] as Uint8Array).get(1)).toEqual([1]);
  });
});
