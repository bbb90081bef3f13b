import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { savedTuning } from "@fcn/core";
import type { DeviceInfo } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../data/trees.js";

const bin = fileURLToPath(new URL("../../../../packages/fcn/bin/fcn.js", import.meta.url));
const folder = await temporaryFolder("fcn-tune");
const small = ["--model", "fcn8s-small", "--width", "0.25", "--classes", "3", "--size", "16x16"];

function fcn(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = { ...process.env, FCN_TUNING: folder, ...env };
  const child = spawnSync(process.execPath, [bin, ...args], { encoding: "utf8", timeout: 100_000, env: all });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

async function read(info: DeviceInfo): Promise<unknown> {
  const before = process.env.FCN_TUNING;
  process.env.FCN_TUNING = folder;
  try {
    return await savedTuning(info);
  } finally {
    process.env.FCN_TUNING = before;
  }
}

describe("fcn tune", () => {
  it("keeps the tiles of this adapter in a file that the commands find, and that no other adapter takes", async () => {
    const { code, out, err } = fcn(["tune", ...small, "--inference", "--json"]);
    expect(err).not.toContain("error:");
    expect(code).toBe(0);
    const { results, file, adapter } = JSON.parse(out);
    expect(results.length).toBeGreaterThan(4);
    expect(await readdir(folder)).toEqual([file.slice(folder.length + 1)]);
    const { tiles } = JSON.parse(await readFile(file, "utf8"));
    const faster = results.filter(({ speedup }: { speedup: number }) => speedup > 1);
    expect(Object.keys(tiles).sort()).toEqual(faster.map(({ key }: { key: string }) => key).sort());
    expect(await read(adapter)).toEqual(faster.length > 0 ? tiles : undefined);
    await writeFile(file, JSON.stringify({ adapter: { ...adapter, description: "another driver" }, tiles }));
    expect(await read(adapter)).toBeUndefined();
    await writeFile(file, "{ torn");
    expect(await read(adapter)).toBeUndefined();
  });

  it("tunes with features in float16, which has tiles of its own", () => {
    const { code, out } = fcn(["tune", ...small, "--inference", "--precision", "float16", "--json"], {
      FCN_TUNING: "off",
    });
    expect(code).toBe(0);
    const keys = JSON.parse(out).results.map(({ key }: { key: string }) => key) as string[];
    expect(keys.length).toBeGreaterThan(4);
    expect(keys.filter((key) => !key.endsWith(" float16"))).toEqual([]);
  });

  it("keeps nothing where the environment says off", () => {
    const { code, out } = fcn(["tune", ...small, "--inference"], { FCN_TUNING: "off" });
    expect(code).toBe(0);
    expect(out).toMatch(/\d+ of \d+ convolutions run faster .*\nFCN_TUNING is off: nothing was kept\n$/);
  });
});

describe("fcn bench", () => {
  it("times both passes of a net", () => {
    const { code, out } = fcn(["bench", ...small, "--repeats", "2", "--batch", "2", "--json"]);
    expect(code).toBe(0);
    const { inference, training, model, batchSize } = JSON.parse(out);
    expect([model, batchSize]).toEqual(["fcn8s-small", 2]);
    for (const { median, least, imagesPerSecond, peakBytes } of [inference, training]) {
      expect(least).toBeLessThanOrEqual(median);
      expect(imagesPerSecond).toBeCloseTo(2000 / median, 6);
      expect(peakBytes).toBeGreaterThan(0);
    }
    const text = fcn(["bench", ...small, "--size", "64", "--repeats", "1"]).out;
    expect(text).toMatch(/^fcn8s-small, 1 x 64x64 \(images, height x width\), 1 pass, on .*\n\npass +median ms/);
  });

  it.each([
    [["bench", "--model", "nope"], '--model is "nope"'],
    [["bench", "--model", "unet", "--weights", "x"], "--model and --weights cannot be used together"],
    [["tune", "--size", "0x3"], '--size is "0x3"'],
  ])("returns %j with 2", (args, problem) => {
    const { code, err } = fcn(args);
    expect([code, err.split("\n")[0]]).toEqual([2, expect.stringContaining(problem)]);
  });
});
