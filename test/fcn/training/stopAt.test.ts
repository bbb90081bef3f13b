import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-stop-at");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const FILES = ["weights.safetensors", "best.safetensors", "metrics.csv", "config.json"];

async function expectSame(out: string, other: string): Promise<void> {
  for (const file of FILES) {
    expect((await readFile(join(out, file))).equals(await readFile(join(other, file))), file).toBe(true);
  }
}

describe("stopAt", () => {
  it("ends a run at its step, and resumed to the end it has the bits of one that never ended", async () => {
    const pace = { steps: 9, readEvery: 3, validateEvery: 4, checkpointEvery: 9, warmUp: 2, ema: 0.5 };
    const options = { ...tinyRun(data, device), ...pace, batchSize: 2 };
    const [straight, out] = [join(root, "straight"), join(root, "stopped")];
    await fcn.trainRun({ ...options, out: straight });
    const validated: number[] = [];
    const view = { validation: (step: number) => void validated.push(step) };
    const to = (stopAt: number) => fcn.trainRun({ ...options, out, view, stopAt, resume: true });
    expect(await to(2)).toMatchObject({ done: 2, steps: 9, stopped: false, best: undefined });
    const second = await to(4);
    expect(second).toMatchObject({ done: 4, resumedFrom: 2, best: { step: 4 } });
    expect(second.files).toContain(join(out, "report.html"));
    // It is there already.
    expect(await to(3)).toMatchObject({ done: 4, resumedFrom: 4 });
    expect(await to(7)).toMatchObject({ done: 7 });
    expect(await to(99)).toMatchObject({ done: 9, resumedFrom: 7 });
    expect(validated).toEqual([4, 8, 9]);
    await expectSame(out, straight);
  });

  it("ends no later than patience does", async () => {
    const still = { learningRate: 1e-12, optimizer: "sgd", schedule: "fixed", freezeBatchNorm: true } as const;
    const options = { ...tinyRun(data, device), ...still, batchSize: 2, steps: 12, validateEvery: 2, readEvery: 2 };
    const out = join(root, "patience");
    expect(await fcn.trainRun({ ...options, out, patience: 2, stopAt: 8 })).toMatchObject({ done: 6 });
  });

  it("makes a validation that was missed, and no further step", async () => {
    const options = { ...tinyRun(data, device), batchSize: 2, steps: 8, readEvery: 2, validateEvery: 4 };
    const [straight, out] = [join(root, "scored"), join(root, "unscored")];
    await fcn.trainRun({ ...options, out: straight });
    const opened = await fcn.data.open(data);
    const stop = new AbortController();
    const val = opened.splits.val!;
    const { item: _, ...inMemory } = val;
    const load = (index: number) => {
      stop.abort();
      return val.load(index);
    };
    const watched = { ...opened, splits: { ...opened.splits, val: { ...inMemory, load } } };
    await fcn.trainRun({ ...options, out, data: watched, signal: stop.signal }).catch(() => {});
    const made = await fcn.trainRun({
      ...options,
      out,
      data: { ...watched, splits: opened.splits },
      resume: true,
      stopAt: 4,
    });
    expect(made).toMatchObject({ done: 4, resumedFrom: 4, best: { step: 4 } });
    await fcn.trainRun({ ...options, out, resume: true });
    expect(await readFile(join(out, "metrics.csv"))).toEqual(await readFile(join(straight, "metrics.csv")));
  });

  it("is a flag of fcn train, to which --resume adds the rest", async () => {
    const net = ["--data", data, "--model", "fcn32s-small", "--width", "0.25", "--workers", "0", "--batch", "2"];
    const [straight, out] = [join(root, "flags-straight"), join(root, "flags")];
    const train = (...flags: string[]) => command(["train", ...net, "--steps", "4", "--json", ...flags]);
    await train("--out", straight);
    const { code, stdout } = await train("--out", out, "--stop-at", "3");
    expect([code, JSON.parse(stdout).done]).toEqual([0, 3]);
    expect((await train("--out", out, "--resume")).code).toBe(0);
    await expectSame(out, straight);
    expect(await train("--out", out, "--stop-at", "0")).toMatchObject({ code: 2 });
  });
});
