import { existsSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEventFile } from "../../../packages/fcn/src/report/eventFile.js";
import { readEvents, scalarsOf, type TensorboardEvent } from "../../support/tensorboard.js";
import { temporaryFolder, writeTree } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-stops");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const base = () => ({ ...tinyRun(data, device), batchSize: 2 });

/** A run that stops after the step `until`; returns it with the steps that were told. */
async function runUntil(until: number, options: fcn.TrainRunOptions) {
  const stop = new AbortController();
  const [told, validated]: [number[], number[]] = [[], []];
  const view: fcn.TrainRunView = {
    progress: ({ step }) => {
      told.push(step);
      if (step === until) stop.abort();
    },
    validation: (step) => void validated.push(step),
  };
  const result = await fcn.trainRun({ ...options, signal: stop.signal, view });
  return { result, told, validated };
}

const metrics = (out: string): Promise<string> => readFile(join(out, "metrics.csv"), "utf8");
const rows = async (out: string): Promise<number[]> =>
  (await metrics(out))
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => Number(row.split(",")[0]));

/** The events of a run, file by file as they were begun. */
async function eventsOf(out: string): Promise<TensorboardEvent[][]> {
  const folder = join(out, "tensorboard");
  const files = await Promise.all((await readdir(folder)).map((name) => readEvents(join(folder, name))));
  return files.sort(([a], [b]) => (a?.wallTime ?? 0) - (b?.wallTime ?? 0));
}

/** The steps at which sessions start in the event files of a run. */
const starts = async (out: string): Promise<(number | undefined)[]> =>
  (await eventsOf(out)).map((events) => events.find(({ sessionLog }) => sessionLog?.status === "START")?.step);

describe("a run that is stopped", () => {
  it("between two readings goes on to the metrics of one that was not", async () => {
    const options = { ...base(), steps: 16, readEvery: 5, validateEvery: 16 };
    const [straight, stopped] = [join(root, "straight"), join(root, "stopped")];
    await fcn.trainRun({ ...options, out: straight });
    expect(await rows(straight)).toEqual([5, 10, 15, 16]);
    const [told = []] = await eventsOf(straight);
    const losses = scalarsOf(told).flatMap(([step, { loss }]) => (loss === undefined ? [] : [[step, loss]]));
    const table = (await metrics(straight)).trim().split("\n").slice(1);
    const written = table.map((row) => row.split(",").slice(0, 2).map(Number));
    expect(losses).toEqual(written.map(([step, loss]) => [step, Math.fround(loss as number)]));
    // Twice in one interval, and with checkpoints at other steps.
    const first = await runUntil(7, { ...options, out: stopped, checkpointEvery: 7 });
    expect(first.result.done).toBe(7);
    expect(first.told).toEqual([5, 7]);
    expect(await rows(stopped)).toEqual([5]);
    const second = await runUntil(8, { ...options, out: stopped, checkpointEvery: 1, resume: true });
    expect(second.result).toMatchObject({ done: 8, resumedFrom: 7 });
    expect(await rows(stopped)).toEqual([5]);
    await fcn.trainRun({ ...options, out: stopped, resume: true });
    expect(await metrics(stopped)).toBe(await metrics(straight));
    // What was written of steps after the checkpoint is void for TensorBoard.
    expect(await starts(stopped)).toEqual([0, 8, 9]);
  });

  it("does not go on with other readings", async () => {
    const options = { ...base(), out: join(root, "readings"), steps: 4, readEvery: 2 };
    await runUntil(2, options);
    await expect(fcn.trainRun({ ...options, resume: true, readEvery: 4 })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: expect.stringContaining("readEvery was 2 and is 4"),
    });
  });

  it.each([
    ["0", "the format 0"],
    ["3", "the format 3"],
    [undefined, "no format"],
  ])("does not go on from a checkpoint of the format %s; its weights start another run", async (format, what) => {
    const out = join(root, `format ${format}`);
    const options = { ...base(), steps: 1, validateEvery: 1 };
    await fcn.trainRun({ ...options, out });
    const [file, weights] = [join(out, "checkpoint", "step-000000001.safetensors"), join(out, "weights.safetensors")];
    const { format: _, ...metadata } = await io.readSafetensorsMetadata(file);
    const other = format === undefined ? metadata : { ...metadata, format };
    await io.writeSafetensors(file, await io.readSafetensors(file), { metadata: other });
    let checked = 0;
    const view = { checking: () => void checked++ };
    await expect(fcn.trainRun({ ...options, out, view, resume: true })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: `train: the checkpoint ${file} has ${what}, but this version reads 2`,
      fix: `go on with the version that wrote it, or start a run in another folder from its weights: weights: "${weights}"`,
      commandFix: expect.stringMatching(/from its weights: --weights .*weights\.safetensors$/),
    });
    expect(checked).toBe(0);
    const { model: _model, ...unnamed } = options;
    const next = await fcn.trainRun({ ...unnamed, out: `${out} next`, weights });
    expect(next).toMatchObject({ model: "fcn8s-small", done: 1 });
  });

  it("before its first step ends there, and claims no checkpoint", async () => {
    const many = await writeTinyData(join(root, "many"), 40);
    const aborted = { code: "aborted", message: "train: stopped before the first step" };
    const stopAt = async (name: string, view: (stop: () => void) => fcn.TrainRunView): Promise<void> => {
      const stop = new AbortController();
      const options = { ...base(), data: many, out: join(root, name), steps: 2, signal: stop.signal };
      const run = fcn.trainRun({ ...options, view: view(() => stop.abort()) });
      await expect(run).rejects.toMatchObject(aborted);
    };
    let checked = 0;
    await stopAt("checking", (stop) => ({
      checking: (done) => {
        checked = done;
        if (done === 3) stop();
      },
    }));
    expect(checked).toBeLessThan(20);
    expect(await readdir(root)).not.toContain("checking");
    await stopAt("starting", (stop) => ({ start: stop }));
    expect(await readdir(join(root, "starting"))).not.toContain("weights.safetensors");
  });
});

/** A run on opened data whose validation images are told as they are loaded; `onLoad` may stop it. */
async function runWatched(options: fcn.TrainRunOptions, onLoad: (loads: number, stop: () => void) => void) {
  const stop = new AbortController();
  const opened = await fcn.data.open(data, { validation: 0.6 });
  const val = opened.splits.val!;
  let loads = 0;
  const load = (index: number): Promise<fcn.data.SegmentationSample> => {
    onLoad(++loads, () => stop.abort());
    return val.load(index);
  };
  const { item: _, ...inMemory } = val;
  const splits = { ...opened.splits, val: { ...inMemory, load } };
  const validated: number[] = [];
  const view: fcn.TrainRunView = { validation: (step) => void validated.push(step) };
  const result = await fcn.trainRun({ ...options, data: { ...opened, splits }, signal: stop.signal, view });
  return { result, validated, loads };
}

describe("a validation that is stopped", () => {
  it("leaves no trace, and is made before the next step of the run that goes on", async () => {
    const options = { ...base(), steps: 6, readEvery: 2, validateEvery: 2, checkpointEvery: 4 };
    const [straight, stopped] = [join(root, "scored"), join(root, "unscored")];
    const whole = await runWatched({ ...options, out: straight }, () => {});
    expect(whole.validated).toEqual([2, 4, 6]);
    expect(whole.result).toMatchObject({ done: 6, stopped: false });
    const scored = async (): Promise<string[]> =>
      (await metrics(stopped))
        .trim()
        .split("\n")
        .slice(1)
        .map((row) => `${row.split(",")[0]}${row.endsWith(",") ? "" : " scored"}`);
    // The second of its three images is being loaded.
    const at = (load: number) => (loads: number, stop: () => void) => void (loads === load && stop());
    const first = await runWatched({ ...options, out: stopped }, at(2));
    expect(first.result).toMatchObject({ done: 2, stopped: true, best: undefined });
    expect(first.validated).toEqual([]);
    expect(await scored()).toEqual(["2"]);
    expect(await readdir(stopped)).not.toContain("best.safetensors");
    // Again in the same one: still there is nothing new.
    const resumed = { ...options, out: stopped, resume: true };
    await expect(runWatched(resumed, at(2))).rejects.toMatchObject({ code: "aborted", message: /after 2/ });
    expect(await scored()).toEqual(["2"]);
    const second = await runWatched(resumed, at(8));
    expect(second.result).toMatchObject({ done: 6, resumedFrom: 2, stopped: true });
    expect(second.validated).toEqual([2, 4]);
    expect(await scored()).toEqual(["2 scored", "4 scored", "6"]);
    expect(await readdir(stopped)).not.toContain("report.html");
    // The report loads images too: the last validation is made, and its scores are kept.
    const third = await runWatched(resumed, at(4));
    expect(third.result).toMatchObject({ done: 6, resumedFrom: 6, stopped: true });
    expect(third.validated).toEqual([6]);
    expect(await metrics(stopped)).toBe(await metrics(straight));
    expect(await readdir(stopped)).not.toContain("report.html");
    const fourth = await runWatched(resumed, () => {});
    expect(fourth).toMatchObject({ validated: [], result: { done: 6, stopped: false, best: whole.result.best } });
    expect(await readdir(stopped)).toContain("report.html");
    for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
      expect((await readFile(join(stopped, file))).equals(await readFile(join(straight, file))), file).toBe(true);
    }
    const checkpoint = (out: string): Promise<Buffer> => readFile(join(out, "checkpoint/step-000000006.safetensors"));
    expect((await checkpoint(stopped)).equals(await checkpoint(straight))).toBe(true);
  });
});

describe("a run", () => {
  it("says once that nothing is there to validate on, and what helps", async () => {
    const unscored = await writeTinyData(join(root, "no val"), 3);
    await writeTree(unscored, { "splits/train.txt": "0\n1\n2" });
    const lines: string[] = [];
    const view = { line: (text: string) => void lines.push(text) };
    await fcn.trainRun({ ...base(), data: unscored, out: join(root, "no val run"), steps: 1, view });
    expect(lines.filter((line) => /val/.test(line))).toEqual([
      expect.stringMatching(/^warning: .*no split named val.*the best; name images in splits\/val\.txt/),
    ]);
  });

  it("validates and keeps at the very steps that were asked for", async () => {
    const out = join(root, "paces");
    const options = { ...base(), out, steps: 9, readEvery: 3, validateEvery: 4, checkpointEvery: 5 };
    const { validated, told } = await runUntil(0, options);
    expect(validated).toEqual([4, 8, 9]);
    expect(told).toEqual([3, 4, 5, 6, 8, 9]);
    expect(await rows(out)).toEqual([3, 4, 6, 8, 9]);
  });

  it.runIf(existsSync("/proc/self"))("says which folder cannot be made", async () => {
    const run = { ...base(), steps: 1, out: "/proc/none/run" };
    await expect(fcn.trainRun(run)).rejects.toMatchObject({
      code: "unwritable-file",
      message: expect.stringContaining("/proc/none"),
    });
    const made = createEventFile("/proc/none/events").catch((error: unknown) => String(error));
    expect(await made).toContain("/proc/none");
  });

  it("leaves a validation image that breaks while it trains out of scores and report, and says so", async () => {
    const broken = await writeTinyData(join(root, "broken"), 12);
    const opened = await fcn.data.open(broken);
    const names = Array.from({ length: opened.splits.val!.length }, (_, i) => opened.splits.val!.name(i));
    expect(names.length).toBeGreaterThan(1);
    const [first, ...others] = names.map((name) => join(broken, "images", `${name}.png`));
    const lines: string[] = [];
    const left = (): string[] => lines.filter((line) => line.startsWith("left out"));
    const scored: number[] = [];
    const view: fcn.TrainRunView = {
      line: (text) => void lines.push(text),
      start: () => writeFileSync(first as string, "no image"),
      validation: (step, meanIU) => void scored.push(step, meanIU),
    };
    const options = { ...base(), data: broken, steps: 2, validateEvery: 1, readEvery: 1 };
    const { best } = await fcn.trainRun({ ...options, out: join(root, "one broken"), view });
    expect(left()).toHaveLength(2);
    expect(left()[0]).toMatch(/^left out of the scores: .*images.*png/);
    expect(best?.scores.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(others.length * 32 * 32);
    // Images that break between the last validation and the report.
    await writeTinyData(broken, 12);
    lines.length = 0;
    const removeAll = (): void => {
      for (const file of [first, ...others]) rmSync(file as string);
    };
    const late = { ...view, start: () => {}, validation: removeAll };
    await fcn.trainRun({ ...options, steps: 1, out: join(root, "late"), view: late });
    expect(left()[0]).toMatch(/^left out of the report: .*does not exist/);
    expect(await readFile(join(root, "late/report.html"), "utf8")).not.toContain("Worst images");
  });

  it("stops where no validation image can be loaded any more", async () => {
    const gone = await writeTinyData(join(root, "gone"), 6);
    const { splits } = await fcn.data.open(gone);
    const file = join(gone, "images", `${splits.val!.name(0)}.png`);
    expect(splits.val).toHaveLength(1);
    const run = { ...base(), data: gone, steps: 2, out: join(root, "none"), view: { start: () => rmSync(file) } };
    await expect(fcn.trainRun(run)).rejects.toThrow(/images.*does not exist/);
  });
});
