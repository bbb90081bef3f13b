import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RUN } from "../../../../packages/fcn/src/training/settings/run.js";
import type { Setting } from "../../../../packages/fcn/src/training/settings/setting.js";
import { TRAINING } from "../../../../packages/fcn/src/training/settings/training.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../tinyData.js";
import { tinyRun } from "../tinyRun.js";

const rows = Object.entries<Setting<unknown>>({ ...RUN, ...TRAINING });
const kept = rows.filter(([, { decides }]) => decides === undefined).map(([name]) => name);

const flagsOf = ({ flag, help, shortcut }: Setting<unknown>) =>
  [{ flag, help }, shortcut].filter((of) => of?.flag !== undefined) as { flag: string; help: string }[];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("the table of settings", () => {
  it("holds each name and each flag once, and says what becomes of every setting", () => {
    expect(Object.keys(RUN).filter((name) => name in TRAINING)).toEqual([]);
    const flags = rows.flatMap(([, row]) => flagsOf(row).map(({ flag }) => flag.split(" ")[0]));
    expect(new Set(flags).size).toBe(flags.length);
    for (const [name, { decides }] of rows) {
      if (typeof decides === "string") expect([...kept, "trainingImages"], name).toContain(decides);
    }
  });

  it("gives the command its flags, with what each one is for", () => {
    const bin = fileURLToPath(new URL("../../../../packages/fcn/bin/fcn.js", import.meta.url));
    const { stdout } = spawnSync(process.execPath, [bin, "train", "--help"], { encoding: "utf8" });
    const help = stdout.replace(/\s+/g, " ");
    const squeezed = (text: string): string => text.replace(/\s+/g, " ");
    for (const [, row] of rows) {
      for (const { flag, help: text } of flagsOf(row)) expect(help).toContain(squeezed(` ${flag} ${text}`));
    }
    for (const text of [
      "of sgd or rmsprop (default: the recipe's, else 0.9)",
      "(default: the recipe's, else 0.0005 for sgd, 0.01 for adamw, 0 for adam, 0 for rmsprop)",
    ]) {
      expect(help).toContain(text);
    }
  });

  it("gives a run its configuration and the report its list", async () => {
    const root = await temporaryFolder("fcn-table");
    const data = await writeTinyData(join(root, "data"), 5);
    const modelOptions = { widthMultiplier: 0.25 };
    const weights = join(root, "start.safetensors");
    using model = fcn.models.create("fcn8s-small", device, { numClasses: 3, ...modelOptions });
    await fcn.saveModel(weights, model);
    const out = join(root, "run");
    const { configuration } = await fcn.trainRun({
      ...tinyRun(data, device),
      ...{ out, model: "fcn8s-small", modelOptions, weights, recipe: "d2l", optimizer: "sgd", batchSize: 2, steps: 1 },
      ...{ classWeights: "inverse", lossSampling: { probability: 1 }, trainable: "scores", freezeBatchNorm: true },
      ...{ clipNorm: 1, ema: 0.9 },
    });
    expect(Object.keys(configuration)).toEqual(expect.arrayContaining(kept));
    const report = await readFile(join(out, "report.html"), "utf8");
    for (const name of kept) expect(report).toContain(`<dt>${name}</dt>`);
  });
});
