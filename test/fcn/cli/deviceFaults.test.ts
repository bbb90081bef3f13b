import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { models, saveModel } from "@fcn/core";
import { createDevice, io } from "@fcn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../training/tinyData.js";

const FCN = fileURLToPath(new URL("../../../packages/fcn/bin/fcn.js", import.meta.url));
const root = await temporaryFolder("fcn-faults");
await writeTinyData(join(root, "data"), 6);

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  /** The lines of the error. */
  readonly lines: readonly string[];
}

/** Runs a command on a device that fails on purpose, as FCN_SIMULATE says. */
function fcn(fault: string | undefined, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...(fault === undefined ? {} : { FCN_SIMULATE: fault }) };
    const child = spawn(process.execPath, [FCN, ...args], { cwd: root, env });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => {
      resolve({ code, out, lines: err.split("\n").filter((line) => /^(error|fix): |^ {4}at /.test(line)) });
    });
  });
}

beforeAll(async () => {
  const device = await createDevice({ quiet: true });
  const options = { numClasses: 3, widthMultiplier: 0.25 };
  const net = models.create("fcn8s-small", device, options);
  await saveModel(join(root, "net.safetensors"), net, { model: "fcn8s-small", options, classes: TINY_CLASSES });
  device.destroy();
});

const FAULTS = ["device-lost", "out-of-memory"] as const;

/** Names of the checkpoints of a run. */
const kept = (out: string): Promise<string[]> => readdir(join(root, out, "checkpoint")).catch(() => []);

describe("fcn train on a device that fails", () => {
  const settings = ["--data", "data", "--model", "fcn8s-small", "--width", "0.25", "--batch", "2", "--workers", "0"];
  const pace = ["--steps", "8", "--validate-every", "2", "--lr", "0.01"];
  const train = (fault: string | undefined, out: string, ...more: string[]) =>
    fcn(fault, "train", ...settings, ...pace, "--out", out, ...more);

  it.each([
    ["device-lost", 60, /^error: train: .*the GPU device is gone/, /^fix: run the same command again with --resume: /],
    [
      "out-of-memory",
      1200,
      /^error: train: .*there is no memory of/,
      /^fix: train with a smaller --batch .* or --crop, into another folder from --weights \S+; or end other programs .* --resume: /,
    ],
  ] as const)(
    "tells %s in one line, keeps a checkpoint, and goes on to the same bits",
    async (fault, at, error, fix) => {
      await train(undefined, "straight", "--overwrite");
      const failed = await train(`${fault}@${at}`, fault);
      expect(failed.lines).toEqual([expect.stringMatching(error), expect.stringMatching(fix)]);
      expect(failed.code).toBe(1);
      const [checkpoint = ""] = await kept(fault);
      const step = Number(/^step-0*(\d+)\./.exec(checkpoint)?.[1]);
      expect(step).toBeGreaterThan(0);
      expect(step).toBeLessThan(8);
      expect(failed.lines[1]).toContain(`the checkpoint of step ${step} is whole`);
      expect(await train(undefined, fault, "--resume")).toMatchObject({ code: 0, lines: [] });
      for (const file of ["weights.safetensors", "best.safetensors"]) {
        const [own, wanted] = [join(root, fault, file), join(root, "straight", file)];
        expect(await io.readSafetensors(own)).toEqual(await io.readSafetensors(wanted));
      }
      const metrics = (out: string): Promise<string> => readFile(join(root, out, "metrics.csv"), "utf8");
      expect(await metrics(fault)).toBe(await metrics("straight"));
    },
    600_000,
  );

  it.each(FAULTS)(
    "starts at the beginning where there is no checkpoint yet: %s",
    async (fault) => {
      const out = `early ${fault}`;
      const failed = await train(`${fault}@8`, out);
      expect(failed.lines).toEqual([
        expect.stringMatching(/^error: train: /),
        expect.stringMatching(/no checkpoint yet$/),
      ]);
      expect(failed.code).toBe(1);
      expect(await train(undefined, out, "--resume")).toMatchObject({ code: 0 });
    },
    600_000,
  );
});

describe("fcn eval and predict on a device that fails", () => {
  it.each([
    ["device-lost", 12],
    ["out-of-memory", 150],
  ] as const)(
    "print no score of a part: %s",
    async (fault, at) => {
      const { code, out, lines } = await fcn(
        ...([
          `${fault}@${at}`,
          "eval",
          "--data",
          "data",
          "--split",
          "train",
          "--weights",
          "net.safetensors",
          "--json",
        ] as const),
      );
      expect(lines).toEqual([
        expect.stringMatching(/^error: .*\d+ of \d+ pictures were evaluated, which is no score of the whole$/),
        expect.stringMatching(
          fault === "device-lost" ? /^fix: run the same command again/ : /^fix: .*--batch 1, --tile/,
        ),
      ]);
      expect(out).toBe("");
      expect(code).toBe(1);
    },
    600_000,
  );

  it.each([
    ["device-lost", 14],
    ["out-of-memory", 180],
  ] as const)(
    "leave what was predicted, and name the rest: %s",
    async (fault, at) => {
      const out = `labelled ${fault}`;
      const args = ["predict", "data/images", "--weights", "net.safetensors", "--out", out, "--save", "labels"];
      const failed = await fcn(`${fault}@${at}`, ...args);
      expect(failed.code).toBe(1);
      const [, done, named = ""] =
        /^error: .*; the results of (\d) of 6 pictures are in labelled \S+, not done: (.*)$/.exec(
          failed.lines[0] ?? "",
        ) ?? [];
      expect(Number(done)).toBeGreaterThan(0);
      expect(Number(done)).toBeLessThan(6);
      expect(named.split(", ")).toHaveLength(6 - Number(done));
      expect(failed.lines[1]).toMatch(/^fix: .*--tile 256x256/);
      const written = (await readdir(join(root, out))).filter((name) => name.endsWith(".png"));
      expect(written).toHaveLength(Number(done));
      // The same command does them all, over its own results.
      expect(await fcn(undefined, ...args)).toMatchObject({ code: 0, lines: [] });
      expect((await readdir(join(root, out))).filter((name) => name.endsWith(".png"))).toHaveLength(6);
    },
    600_000,
  );
});
