import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../../../packages/fcn/src/encoding/crc32c.js";
import { createEventFile } from "../../../packages/fcn/src/report/eventFile.js";
import { decodeRecords, dividedCrc32c, readEvents, scalarsOf, unmask } from "../../support/tensorboard.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-events");

const NINE_DIGITS = new TextEncoder().encode("123456789");

describe("CRC-32C", () => {
  it("is that of the standard", () => {
    expect(crc32c(NINE_DIGITS)).toBe(0xe3069283);
    expect(dividedCrc32c(NINE_DIGITS)).toBe(0xe3069283);
  });

  it("is masked as TFRecord has it", () => {
    for (let length = 0; length < 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 255);
      expect(unmask(maskedCrc32c(bytes))).toBe(dividedCrc32c(bytes));
    }
  });
});

describe("an event file", () => {
  it("is read by TensorBoard's schema: version, session, then steps, times, tags and values", async () => {
    const begin = Date.now() / 1000;
    const events = await createEventFile(join(root, "run"));
    await events.write(10, { loss: 0.5, "mean IU": 0.25, gone: Number.NaN, beyond: Number.POSITIVE_INFINITY });
    await events.write(11, { gone: Number.NaN });
    await events.write(70_000, { loss: -1.5e-9, "IU/Straße 樹": 1 / 3 });
    await events.write(5_000_000_000, { loss: 0 });
    const end = Date.now() / 1000;
    await events.close();
    expect(await readdir(join(root, "run"))).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\./)]);
    const read = await readEvents(events.path);
    const wallTime = expect.any(Number);
    expect(read.slice(0, 2)).toEqual([
      { wallTime, fileVersion: "brain.Event:2" },
      { wallTime, step: 0, sessionLog: { status: "START" } },
    ]);
    expect(read.slice(2).map((event) => Object.keys(event))).toEqual(Array(3).fill(["wallTime", "step", "summary"]));
    expect(scalarsOf(read)).toEqual([
      [10, { loss: 0.5, "mean IU": 0.25 }],
      [70_000, { loss: Math.fround(-1.5e-9), "IU/Straße 樹": Math.fround(1 / 3) }],
      [5_000_000_000, { loss: 0 }],
    ]);
    const times = read.map((event) => event.wallTime);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(begin);
    expect(times.at(-1)).toBeLessThanOrEqual(end);
  });

  it("says where a run goes on: at the step from which older events are void", async () => {
    const events = await createEventFile(join(root, "goes on"), 300);
    await events.close();
    const [, started, ...rest] = await readEvents(events.path);
    expect(started).toMatchObject({ step: 300, sessionLog: { status: "START" } });
    expect(rest).toEqual([]);
  });

  it("shows every changed byte by its checksums", async () => {
    const events = await createEventFile(join(root, "changed"));
    await events.write(1, { loss: 2 });
    await events.close();
    const bytes = new Uint8Array(await readFile(events.path));
    expect(decodeRecords(bytes)).toHaveLength(3);
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] as number) ^ 4;
      expect(() => decodeRecords(changed), `byte ${i}`).toThrow();
    }
  });
});
