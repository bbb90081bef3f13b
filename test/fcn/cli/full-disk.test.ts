import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventFile } from "../../../packages/fcn/src/report/eventFile.js";
import { fcn as command } from "../../support/commandLine.js";
import { openSmallDisk, type SmallDisk } from "../../support/small-disk.js";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "../training/tinyData.js";

const FCN = fileURLToPath(new URL("../../../packages/fcn/bin/fcn.js", import.meta.url));
const KIB = 1024;
const NO_SPACE = "no space left on device";
const root = await temporaryFolder("fcn-full");
const data = await writeTinyData(join(root, "data"), 6);
const opened = await openSmallDisk(16);
const disk = opened as SmallDisk;
const at = (...parts: string[]): string => join(disk.path, ...parts);

const ownLines = (stderr: string): string[] => {
  const own = (line: string): boolean => !/^Warning: |running on the software adapter|^evaluated /.test(line);
  return stderr.trim().split("\n").filter(own);
};

async function run(args: readonly string[]) {
  const { code, stdout, stderr } = await command(args);
  return { code, out: stdout, lines: ownLines(stderr) };
}

/** Runs `fcn` in a program of its own, whose standard output goes to a file descriptor. */
async function runInto(stdout: number, args: readonly string[]) {
  const child = spawn(process.execPath, [FCN, ...args], { stdio: ["ignore", stdout, "pipe"] });
  let stderr = "";
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, lines: ownLines(stderr) };
}

/** One line that names the file and the cause, and one that says what to do. */
function expectOneLine(lines: readonly string[], file: RegExp, fix: RegExp): void {
  expect(lines).toEqual([
    expect.stringMatching(/^error: .*cannot write .*: no space left on device$/),
    expect.any(String),
  ]);
  expect(lines[0]).toMatch(file);
  expect(lines[1]).toMatch(/^fix: free some space on that disk/);
  expect(lines[1]).toMatch(fix);
}

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Nothing is half written: no temporary file, every file of arrays can be read, events end with a whole record. */
async function expectWholeFiles(folder: string): Promise<void> {
  const files = await filesBelow(folder);
  expect(files.filter((file) => file.endsWith(".tmp"))).toEqual([]);
  for (const file of files) {
    if (file.endsWith(".safetensors")) expect(Object.keys(await io.readSafetensors(file)).length).toBeGreaterThan(10);
    if (file.includes("tfevents")) await expectWholeRecords(file);
  }
}

async function expectWholeRecords(file: string): Promise<number> {
  const bytes = await readFile(file);
  let [end, records] = [0, 0];
  for (; end < bytes.length; records++) end += 16 + Number(bytes.readBigUInt64LE(end));
  expect(end).toBe(bytes.length);
  return records;
}

async function expectSameRun(out: string, straight: string): Promise<void> {
  const checkpoint = async (run: string) => join(run, "checkpoint", (await readdir(join(run, "checkpoint"))).join());
  for (const name of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
    expect((await readFile(join(out, name))).equals(await readFile(join(straight, name))), name).toBe(true);
  }
  expect(await readFile(await checkpoint(out))).toEqual(await readFile(await checkpoint(straight)));
}

const skipped = typeof opened === "string" ? `: skipped, ${opened}` : "";

describe.skipIf(skipped !== "")(`a full disk${skipped}`, () => {
  let device: Device;
  let straight: string;
  let weights: string;
  const small = { model: "fcn8s-small", modelOptions: { widthMultiplier: 0.25 }, batchSize: 2, workers: 0 } as const;
  const options = (): Omit<fcn.TrainRunOptions, "out"> => ({
    ...{ ...small, data, device, steps: 6, learningRate: 0.01, readEvery: 1, validateEvery: 2, checkpointEvery: 2 },
  });
  beforeAll(async () => {
    device = await createDevice({ quiet: true });
    straight = join(root, "straight");
    await fcn.trainRun({ ...options(), out: straight });
    weights = join(straight, "best.safetensors");
  });
  afterAll(() => device?.destroy());
  beforeEach(() => disk.free());

  it("fails a file with its name, the cause and a remedy; what was there before stays", async () => {
    const array = { dtype: "float32", shape: [64 * KIB], data: new Float32Array(64 * KIB).fill(1) } as const;
    const folder = at("files");
    await mkdir(folder);
    const before = { ...array, data: new Float32Array(64 * KIB).fill(2) };
    const writers = [
      ["a.npy", (path: string, value: io.HostArray) => io.writeNpy(path, value)],
      ["a.npz", (path: string, value: io.HostArray) => io.writeNpz(path, { value })],
      ["a.safetensors", (path: string, value: io.HostArray) => io.writeSafetensors(path, { value })],
    ] as const;
    for (const [name, write] of writers) await write(join(folder, name), before);
    disk.fill(100 * KIB);
    for (const [name, write] of writers) {
      const path = join(folder, name);
      const bytes = await readFile(path);
      const error = await write(path, array).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(TensorError);
      expect(error).toMatchObject({
        code: "disk-full",
        message: expect.stringMatching(new RegExp(`^write\\w+: cannot write ${path}: ${NO_SPACE}$`)),
        fix: expect.stringContaining("free some space"),
      });
      expect(await readFile(path)).toEqual(bytes);
    }
    expect((await readdir(folder)).sort()).toEqual(["a.npy", "a.npz", "a.safetensors"]);
  });

  it("ends an event file with a whole record, which goes on when there is room again", async () => {
    const events = await createEventFile(at("events"));
    disk.fill(0);
    let written = 0;
    const error = await (async () => {
      for (; ; written++) await events.write(written, { loss: 1, learningRate: 0.1 });
    })().catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: "disk-full",
      message: `TensorBoard events: cannot write ${events.path}: ${NO_SPACE}`,
    });
    expect(await expectWholeRecords(events.path)).toBe(2 + written);
    await expect(createEventFile(at("events"))).rejects.toMatchObject({ code: "disk-full" });
    expect(await readdir(at("events"))).toHaveLength(1);
    disk.free();
    await events.write(written, { loss: 1 });
    await events.close();
    expect(await expectWholeRecords(events.path)).toBe(3 + written);
  });

  // The weights take some 100 KiB, a checkpoint three times as much.
  it.each([
    ["events, metrics and all", 0, /cannot write .*(tfevents|metrics\.csv|best|weights\.safetensors)/],
    ["the weights", 64 * KIB, /cannot write .*(best|weights)\.safetensors:/],
    ["the checkpoint", 160 * KIB, /cannot write .*checkpoint\/step-000000004\.safetensors:/],
  ])("stops a run where there is no room for %s; it goes on to the same bits", async (name, leave, file) => {
    const out = at(`run ${name}`);
    const view = { progress: ({ step }: fcn.TrainProgress) => void (step === 3 && disk.fill(leave)) };
    const error = await fcn.trainRun({ ...options(), out, view }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: "disk-full",
      message: expect.stringMatching(file),
      fix: expect.stringMatching(/go on with resume: true: the checkpoint of step 2 is whole/),
      commandFix: expect.stringMatching(/go on with --resume: the checkpoint of step 2 is whole/),
    });
    await expectWholeFiles(out);
    expect(await readdir(join(out, "checkpoint"))).toEqual(["step-000000002.safetensors"]);
    // Still full: it fails in the same way, and leaves the checkpoint.
    await expect(fcn.trainRun({ ...options(), out, resume: true })).rejects.toMatchObject({ code: "disk-full" });
    await expectWholeFiles(out);
    disk.free();
    const result = await fcn.trainRun({ ...options(), out, resume: true });
    expect(result).toMatchObject({ resumedFrom: 2, done: 6 });
    await expectWholeFiles(out);
    await expectSameRun(out, straight);
  });

  it("keeps a run that is over but for its report", async () => {
    const out = at("no report");
    const view = { end: () => disk.fill(8 * KIB) };
    await expect(fcn.trainRun({ ...options(), out, view })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot write .*report\.html: no space/),
    });
    await expectWholeFiles(out);
    await expectSameRun(out, straight);
    disk.free();
    const { files } = await fcn.trainRun({ ...options(), out, resume: true });
    expect(files).toContain(join(out, "report.html"));
  });

  it("is one line of fcn train, and exit code 1", async () => {
    const out = at("command");
    const sizes = await Promise.all((await filesBelow(straight)).map(async (file) => (await readFile(file)).length));
    // Room for one checkpoint and the files beside it, and for half of the next.
    disk.fill(sizes.reduce((sum, size) => sum + size, 0) + Math.max(...sizes) / 2);
    const flags = ["--steps", "6", "--lr", "0.01", "--batch", "2", "--workers", "0", "--width", "0.25"];
    const every = ["--validate-every", "2", "--checkpoint-every", "2"];
    const args = ["train", "--data", data, "--model", "fcn8s-small", "--out", out, ...flags, ...every];
    const failed = await run(args);
    expect(failed.code).toBe(1);
    expectOneLine(failed.lines, /checkpoint\/step-0+\d\.safetensors/, /go on with --resume: .* step \d is whole$/);
    await expectWholeFiles(out);
    disk.free();
    expect(await run([...args, "--resume"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/going on after \d/),
    });
    const [found, wanted] = [out, straight].map((folder) => readFile(join(folder, "weights.safetensors")));
    const [a, b] = [await io.readSafetensors(await found!), await io.readSafetensors(await wanted!)];
    expect(a).toEqual(b);
  });

  it("stops fcn predict at once, which leaves nothing half written", async () => {
    const out = at("predicted");
    await mkdir(out);
    disk.fill(64 * KIB);
    const args = ["predict", join(data, "images"), "--weights", weights, "--out", out, "--save"];
    const failed = await run([...args, "overlay,labels,probabilities"]);
    expect(failed.code).toBe(1);
    expectOneLine(failed.lines, /cannot write .*predicted\/\d\.(overlay\.png|png|npy)/, /run again$/);
    expect((await filesBelow(out)).filter((file) => file.endsWith(".tmp"))).toEqual([]);
    for (const [save, leave, file] of [
      ["probabilities", 8 * KIB, /predicted\/(\d\.npy|\.fcn-predict\.json)/],
      ["summary", 0, /predicted\/(\d|\.fcn-predict)\.json/],
    ] as const) {
      disk.fill(leave);
      const none = await run([...args, save]);
      expect(none.code).toBe(1);
      expectOneLine(none.lines, file, /run again$/);
      expect((await filesBelow(out)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    }
  });

  it("leaves what fcn convert was to write over", async () => {
    const target = at("weights.npz");
    await run(["convert", weights, target]);
    const bytes = await readFile(target);
    disk.fill(16 * KIB);
    const failed = await run(["convert", weights, target]);
    expect(failed.code).toBe(1);
    expectOneLine(failed.lines, /weights\.npz/, /run again$/);
    expect(await readFile(target)).toEqual(bytes);
    expect((await readdir(disk.path)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("is told by fcn eval when its result does not fit, wholly or in part", async () => {
    const args = ["eval", "--data", data, "--weights", weights, "--json", "--radii", "1,2,3,4,5,6,7,8"];
    const whole = await run(args);
    expect(whole.code).toBe(0);
    expect(whole.out.length).toBeGreaterThan(4 * KIB);
    for (const leave of [0, 4 * KIB]) {
      disk.free();
      await writeFile(at("scores.json"), "");
      disk.fill(leave);
      const file = openSync(at("scores.json"), "w");
      const failed = await runInto(file, args);
      closeSync(file);
      expect(failed.code).toBe(1);
      expectOneLine(failed.lines, /standard output/, /run again$/);
      expect((await readFile(at("scores.json"))).length).toBe(leave);
    }
  });
});

describe.runIf(process.platform === "linux")("standard output that takes nothing", () => {
  it("is one clear line for results and for help", async () => {
    const input = join(root, "one.safetensors");
    await io.writeSafetensors(input, { one: { dtype: "float32", shape: [1], data: Float32Array.of(1) } });
    for (const args of [["convert", input, join(root, "two.npz")], ["--help"]]) {
      const full = openSync("/dev/full", "w");
      const { code, lines } = await runInto(full, args);
      closeSync(full);
      expect(code).toBe(1);
      expectOneLine(lines, /standard output/, /run again$/);
    }
    expect(await io.readNpz(join(root, "two.npz"))).toHaveProperty("one");
  });
});
