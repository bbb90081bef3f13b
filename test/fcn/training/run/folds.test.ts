import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/deviceCommandLine.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-folds");
const data = await writeTinyData(join(root, "data"), 8);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const base = () => ({ ...tinyRun(data, device), steps: 4, readEvery: 2, validateEvery: 2, folds: 3 });
const weights = (folder: string) => io.readSafetensors(join(folder, "best.safetensors"));

describe("trainFolds", () => {
  it("validates each image once, and gives the mean and the spread of the folds", async () => {
    const out = join(root, "all");
    const started: string[] = [];
    const view = { start: (model: string) => void started.push(model) };
    const { folds, summary, files, stopped } = await fcn.trainFolds({ ...base(), out, view });
    expect(stopped).toBe(false);
    expect(started).toEqual([1, 2, 3].map((fold) => `fold ${fold} of 3, fcn8s-small`));
    const pixels = folds.map(({ best }) => best!.scores.confusion.flat().reduce((a, b) => a + b, 0) / 32 ** 2);
    expect([...pixels].sort()).toEqual([2, 3, 3]);
    expect(new Set(folds.map(({ configuration }) => configuration.validationImages)).size).toBe(3);
    for (const name of ["pixelAccuracy", "meanAccuracy", "meanIU", "frequencyWeightedIU"] as const) {
      const [a, b, c] = folds.map(({ best }) => best!.scores[name]) as [number, number, number];
      expect(summary?.mean[name]).toBeCloseTo((a + b + c) / 3, 12);
      // The sample variance from the differences of all pairs.
      const square = ((a - b) ** 2 + (b - c) ** 2 + (a - c) ** 2) / 6;
      expect(summary?.spread[name]).toBeCloseTo(Math.sqrt(square), 12);
    }
    const right = folds.map(({ best }, i) => best!.scores.pixelAccuracy * pixels[i]!).reduce((a, b) => a + b, 0);
    expect(summary?.pooled.pixelAccuracy).toBeCloseTo(right / 8, 12);
    expect((await readdir(out)).sort()).toEqual([
      "config.json",
      "fold-1",
      "fold-2",
      "fold-3",
      "folds.json",
      "report.html",
    ]);
    expect([...files].sort()).toEqual(["config.json", "folds.json", "report.html"].map((name) => join(out, name)));
    const html = await readFile(join(out, "report.html"), "utf8");
    for (const text of ["fcn8s-small in 3 folds", "standard deviation", ">fold-2<", "Validation loss"])
      expect(html).toContain(text);
    const saved = JSON.parse(await readFile(join(out, "folds.json"), "utf8"));
    expect(saved.mean.meanIU).toBe(summary?.mean.meanIU);
    // A fold is a run on its part of the images.
    const { model, metadata } = await fcn.loadModel(join(out, "fold-2", "best.safetensors"), device);
    expect(metadata.classes).toEqual(folds[1]?.classes);
    model.dispose();
  });

  it("goes on where it was stopped, without steps of finished folds, to the same bits", async () => {
    const [out, whole] = [join(root, "stopped"), join(root, "all")];
    const stop = new AbortController();
    let fold = 0;
    const view: fcn.TrainRunView = {
      start: () => void fold++,
      progress: ({ step }) => {
        if (fold === 2 && step === 2) stop.abort();
      },
    };
    const first = await fcn.trainFolds({ ...base(), out, view, signal: stop.signal });
    expect(first).toMatchObject({ stopped: true, files: [] });
    expect([first.summary, first.folds.length]).toEqual([undefined, 2]);
    const started: string[] = [];
    const again = { start: (model: string, _: number, from: number) => void started.push(`${model} ${from}`) };
    const { summary } = await fcn.trainFolds({ ...base(), out, view: again, resume: true });
    expect(started).toEqual(["fold 2 of 3, fcn8s-small 2", "fold 3 of 3, fcn8s-small 0"]);
    expect(summary).toEqual((await fcn.trainFolds({ ...base(), out: whole, resume: true })).summary);
    for (const name of ["fold-1", "fold-2", "fold-3"]) {
      expect(await weights(join(out, name))).toEqual(await weights(join(whole, name)));
    }
    await expect(fcn.trainFolds({ ...base(), out, seed: 9, resume: true })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
    });
    await expect(fcn.trainFolds({ ...base(), out })).rejects.toMatchObject({ code: "run-exists" });
  });

  it("refuses more folds than images, a single one, and the folder of a run", async () => {
    await expect(fcn.trainFolds({ ...base(), out: join(root, "none"), folds: 9 })).rejects.toMatchObject({
      message: "train: 9 folds of 8 images to train and validate on",
      commandFix: "ask for at most 8 (--folds)",
    });
    await expect(fcn.trainFolds({ ...base(), out: join(root, "none"), folds: 1 })).rejects.toThrow(/folds is 1/);
    const { folds: _, ...single } = base();
    await fcn.trainRun({ ...single, out: join(root, "run"), steps: 1 });
    await expect(fcn.trainFolds({ ...base(), out: join(root, "run") })).rejects.toMatchObject({ code: "run-exists" });
  });
});

describe("fcn train --folds", () => {
  it("prints the folds and their mean, and is repeated by its config.json", async () => {
    const [out, again] = [join(root, "command"), join(root, "command-again")];
    const net = ["--data", data, "--model", "fcn32s-small", "--width", "0.25", "--workers", "0", "--batch", "auto"];
    const { code, stdout } = await command(["train", ...net, "--steps", "1", "--folds", "2", "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fold 1 .*\nfold 2 .*\nmean .*\nstandard deviation .*\nall pixels /m);
    expect(stdout).toMatch(/^mean IU [\d.]+ \+- [\d.]+ %, \d+ s$/m);
    const config = join(out, "config.json");
    expect(JSON.parse(await readFile(config, "utf8"))).toMatchObject({ folds: 2, data, batchSize: 4 });
    const repeated = await command(["train", "--config", config, "--out", again, "--json"]);
    expect(JSON.parse(repeated.stdout).folds).toHaveLength(2);
    for (const name of ["fold-1", "fold-2"])
      expect(await weights(join(again, name))).toEqual(await weights(join(out, name)));
    const wrong = await command(["train", ...net, "--folds", "1", "--out", out]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: --folds is "1"\nfix: use a whole number/),
    });
  });
});
