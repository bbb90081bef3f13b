import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/commandLine.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const root = await temporaryFolder("fcn-compare");
const data = await writeTinyData(join(root, "data"), 6);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  const base = { ...tinyRun(data, device), steps: 4, readEvery: 2, validateEvery: 2 };
  await fcn.trainRun({ ...base, out: join(root, "slow") });
  await fcn.trainRun({ ...base, out: join(root, "fast"), learningRate: 0.05, weightDecay: 0 });
  await fcn.trainRun({ ...base, out: join(root, "more", "slow") });
});
afterAll(() => device?.destroy());

describe("compareRuns", () => {
  it("gives the readings, the best scores and what differs, and draws them on one page", async () => {
    const { runs, differences, html } = await fcn.compareRuns([join(root, "slow"), join(root, "fast")]);
    expect(runs.map(({ name, step }) => [name, step])).toEqual([
      ["slow", 4],
      ["fast", 4],
    ]);
    expect(differences).toEqual({ learningRate: [0.01, 0.05], weightDecay: [0.01, 0] });
    for (const { name, loss, best } of runs) {
      const [header = "", ...rows] = (await readFile(join(root, name, "metrics.csv"), "utf8")).trim().split("\n");
      const columns = header.split(",");
      const last = (rows.at(-1) ?? "").split(",").map(Number);
      expect(loss).toBe(last[columns.indexOf("loss")]);
      const scores = rows.map((row) => Number(row.split(",")[columns.indexOf("meanIU")]));
      expect(best?.scores.meanIU).toBe(Math.max(...scores));
    }
    // Two lines in each of four charts.
    expect(html.match(/<polyline/g)).toHaveLength(8);
    for (const text of [
      "Training loss",
      "Validation loss",
      "Mean IU",
      "Learning rate",
      "weightDecay",
      ">slow<",
      ">fast<",
    ]) {
      expect(html).toContain(text);
    }
  });

  it("calls runs by their whole folders where they would have one name, and says where nothing differs", async () => {
    const folders = [join(root, "slow"), join(root, "more", "slow")];
    const { runs, differences, html } = await fcn.compareRuns(folders);
    expect(runs.map(({ name }) => name)).toEqual(folders);
    expect(differences).toEqual({});
    expect(html).toContain("All settings are the same");
    expect(runs[0]?.loss).toBe(runs[1]?.loss);
  });

  it("refuses a folder without a run", async () => {
    await mkdir(join(root, "empty"));
    await expect(fcn.compareRuns([join(root, "slow"), join(root, "empty")])).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringContaining("empty: there is no checkpoint"),
    });
  });
});

describe("fcn compare", () => {
  it("writes the page, and prints a line for each run", async () => {
    const out = join(root, "page.html");
    const { code, stdout: text } = await command(["compare", join(root, "slow"), join(root, "fast"), "--out", out]);
    expect(code).toBe(0);
    expect(text).toMatch(/^slow {2}step 4, loss \d.*best mean IU \d+\.\d % at step \d\nfast {2}step 4, /);
    expect(text).toContain("they differ in learningRate, weightDecay");
    expect(await readFile(out, "utf8")).toMatch(/^<!doctype html>/);
  });
});
