import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createDevice } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { PYTHON } from "../../bench/lib/python.mjs";
import { compare } from "../../bench/quality/agreement.mjs";
import { drawBatches, makeNet, runOurs } from "../../bench/quality/ours.mjs";
import { temporaryFolder } from "../fcn/data/trees.js";

const root = join(import.meta.dirname, "../..");
const hasTorch = spawnSync(PYTHON, ["-c", "import torch"]).status === 0;

describe("the comparison of quality", () => {
  it("finds agreement where means lie no further apart than seeds", () => {
    expect(compare([0.5, 0.6, 0.7], [0.65, 0.75, 0.85])).toMatchObject({ agree: true });
    expect(compare([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])).toMatchObject({ difference: 0, agree: true });
    expect(compare([0.5], [0.9]).agree).toBeUndefined();
    expect(compare([0.5, 0.75], [0.25, 1]).differences).toEqual([0.25, -0.25]);
    const apart = compare([0.5, 0.51], [0.6, 0.62]);
    expect(apart.agree).toBe(false);
    expect(apart.difference).toBeCloseTo(-0.105);
    expect(apart.theirs.span).toBeCloseTo(0.02);
  });

  it("draws every image once a pass, and others for another seed", () => {
    const steps = drawBatches(6, 4, 3, 1);
    const order = steps.flat();
    expect(steps.map((step) => step.length)).toEqual([4, 4, 4]);
    expect([...order.slice(0, 6)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...order.slice(6)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(drawBatches(6, 4, 3, 1)).toEqual(steps);
    expect(drawBatches(6, 4, 3, 2)).not.toEqual(steps);
  });

  it("trains and scores a net on drawn batches", async () => {
    const device = await createDevice({ quiet: true });
    const sample = (value: number) => ({
      name: `${value}`,
      image: { data: new Uint8Array(32 * 32 * 3).fill(255 * value), height: 32, width: 32, channels: 3 },
      labels: new Uint8Array(32 * 32).fill(value),
    });
    const set = { classes: ["dark", "light"], train: [sample(0), sample(1)], validation: [sample(0), sample(1)] };
    const net = makeNet(device, 2, 1);
    const { confusion, firstLoss } = await runOurs(net, set, drawBatches(2, 2, 12, 1));
    expect(firstLoss).toBeCloseTo(Math.log(2), 5);
    expect(confusion.flat().reduce((a: number, b: number) => a + b)).toBe(2 * 32 * 32);
    const right = (confusion as number[][]).reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
    expect(right).toBeGreaterThan(1.8 * 32 * 32);
    device.destroy();
  });

  it.skipIf(!hasTorch)(
    "finds the same scores as PyTorch after two steps",
    async () => {
      const stem = join(await temporaryFolder("fcn-quality"), "quality");
      const args = ["bench/quality.mjs", "--set", "earth", "--seeds", "1", "--steps", "2", "--out", stem];
      const { stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
      const [set] = JSON.parse(readFileSync(`${stem}.json`, "utf8")).sets;
      expect(set.firstLoss, stderr).toBeLessThan(2e-6);
      expect(set.meanIU.ours[0]).toBeCloseTo(set.meanIU.theirs[0], 2);
      expect(set.pixelAccuracy.ours[0]).toBeCloseTo(set.pixelAccuracy.theirs[0], 2);
    },
    100_000,
  );
});
