import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { models, saveModel } from "@fcn/core";
import { createDevice, io } from "@fcn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/commandLine.js";
import { temporaryFolder } from "../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../../training/tinyData.js";

const root = await temporaryFolder("fcn-faults");
await writeTinyData(join(root, "data"), 6);

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  /** The lines of the error. */
  readonly lines: readonly string[];
}

/** Runs a command on a device that fails on purpose, as FCN_SIMULATE says. */
async function fcn(fault: string | undefined, ...args: string[]): Promise<Outcome> {
  const env = fault === undefined ? {} : { FCN_SIMULATE: fault };
  const { code, stdout, stderr } = await command(args, { cwd: root, env });
  return { code, out: stdout, lines: stderr.split("\n").filter((line) => /^(error|fix): |^ {4}at /.test(line)) };
}

beforeAll(async () => {
  const device = await createDevice({ quiet: true });
  const options = { numClasses: 3, widthMultiplier: 0.25 };
  const net = models.create("fcn8s-small", device, options);
  await saveModel(join(root, "net.safetensors"), net, { model: "fcn8s-small", options, classes: TINY_CLASSES });
  device.destroy();
});

/** Whether a fault came before, in or after the part of a command that is meant. */
type Moment = "early" | "right" | "late";

/**
 * Tries moments for a fault until one is right: the one that is given, as most adapters are asked for as much, then
 * others around it. How many commands and pieces of memory a command takes depends a little on the adapter.
 */
async function atTheRightMoment<T>(
  first: number,
  attempt: (at: number) => Promise<T>,
  momentOf: (outcome: T) => Moment | Promise<Moment>,
): Promise<T> {
  let [at, low, high] = [first, 0, Number.POSITIVE_INFINITY];
  while (high - low > 1) {
    const outcome = await attempt(at);
    const moment = await momentOf(outcome);
    if (moment === "right") return outcome;
    if (moment === "early") low = at;
    else high = at;
    at = Number.isFinite(high) ? Math.floor((low + high) / 2) : 2 * at;
  }
  throw new Error(`no moment between ${low} and ${high} is right`);
}

const FAULTS = ["device-lost", "out-of-memory"] as const;

/** Names of the checkpoints of a run. */
const kept = (out: string): Promise<string[]> => readdir(join(root, out, "checkpoint")).catch(() => []);

describe("fcn train on a device that fails", () => {
  const settings = ["--data", "data", "--model", "fcn8s-small", "--width", "0.25", "--batch", "2", "--workers", "0"];
  const pace = ["--steps", "8", "--validate-every", "2", "--lr", "0.01"];
  const train = (fault: string | undefined, out: string, ...more: string[]) =>
    fcn(fault, "train", ...settings, ...pace, "--out", out, ...more);
  /** The run that nothing disturbs. */
  let straight: Promise<Outcome> | undefined;

  it.each([
    ["device-lost", 330, /^error: train: .*the GPU device is gone/, /^fix: run the same command again with --resume: /],
    [
      "out-of-memory",
      1650,
      /^error: train: .*could not allocate/,
      /^fix: train with a smaller --batch .* or --crop, into another folder from --weights \S+; or end other programs .* --resume: /,
    ],
  ] as const)(
    "tells %s in one line, keeps a checkpoint, and goes on to the same bits",
    async (fault, first, error, fix) => {
      straight ??= train(undefined, "straight");
      await straight;
      const attempt = async (n: number) => {
        const out = `${fault}-${n}`;
        return { out, failed: await train(`${fault}@${n}`, out) };
      };
      const { out, failed } = await atTheRightMoment(first, attempt, async (outcome) => {
        if (outcome.failed.code === 0) return "late";
        return (await kept(outcome.out)).length > 0 ? "right" : "early";
      });
      expect(failed.lines).toEqual([expect.stringMatching(error), expect.stringMatching(fix)]);
      expect(failed.code).toBe(1);
      const [checkpoint = ""] = await kept(out);
      const step = Number(/^step-0*(\d+)\./.exec(checkpoint)?.[1]);
      expect(failed.lines[1]).toContain(`the checkpoint of step ${step} is whole`);
      expect(await train(undefined, out, "--resume")).toMatchObject({ code: 0, lines: [] });
      for (const file of ["weights.safetensors", "best.safetensors"]) {
        const [own, wanted] = [join(root, out, file), join(root, "straight", file)];
        expect(await io.readSafetensors(own)).toEqual(await io.readSafetensors(wanted));
      }
      const metrics = (run: string): Promise<string> => readFile(join(root, run, "metrics.csv"), "utf8");
      expect(await metrics(out)).toBe(await metrics("straight"));
    },
    600_000,
  );

  it.each(FAULTS)(
    "starts at the beginning where there is no checkpoint yet: %s",
    async (fault) => {
      const out = `early ${fault}`;
      const failed = await train(`${fault}@8`, out, "--steps", "1");
      expect(failed.lines).toEqual([
        expect.stringMatching(/^error: train: /),
        expect.stringMatching(/no checkpoint yet$/),
      ]);
      expect(failed.code).toBe(1);
      expect(await train(undefined, out, "--steps", "1", "--resume")).toMatchObject({ code: 0 });
    },
    600_000,
  );
});

describe("fcn eval and predict on a device that fails", () => {
  it.each([
    ["device-lost", 45],
    ["out-of-memory", 395],
  ] as const)(
    "print no score of a part: %s",
    async (fault, first) => {
      const args = ["eval", "--data", "data", "--split", "train", "--weights", "net.safetensors", "--json"];
      const done = ({ lines }: Outcome): number => Number(/(\d+) of \d+ images were/.exec(lines[0] ?? "")?.[1]);
      const { code, out, lines } = await atTheRightMoment(
        first,
        (at) => fcn(`${fault}@${at}`, ...args),
        (outcome) => (outcome.code === 0 ? "late" : done(outcome) > 0 ? "right" : "early"),
      );
      expect(lines).toEqual([
        expect.stringMatching(/^error: .*\d+ of \d+ images were evaluated, which is no score of the whole$/),
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
    ["device-lost", 45],
    ["out-of-memory", 472],
  ] as const)(
    "leave what was predicted, and name the rest: %s",
    async (fault, first) => {
      const args = ["predict", "data/images", "--weights", "net.safetensors", "--save", "labels", "--out"];
      const attempt = async (at: number) => {
        const out = `labelled-${fault}-${at}`;
        const failed = await fcn(`${fault}@${at}`, ...args, out);
        const told = /^error: .*; the results of (\d) of 6 images are in \S+, not done: (.*)$/.exec(
          failed.lines[0] ?? "",
        );
        return { out, failed, done: Number(told?.[1]), named: told?.[2] ?? "" };
      };
      const { out, failed, done, named } = await atTheRightMoment(first, attempt, (outcome) => {
        return outcome.failed.code === 0 ? "late" : outcome.done > 0 ? "right" : "early";
      });
      expect(failed.code).toBe(1);
      expect(done).toBeLessThan(6);
      expect(named.split(", ")).toHaveLength(6 - done);
      expect(failed.lines[1]).toMatch(/^fix: .*--tile 256x256/);
      const written = async (): Promise<string[]> => {
        return (await readdir(join(root, out))).filter((name) => name.endsWith(".png"));
      };
      expect(await written()).toHaveLength(done);
      // The same command does them all, over its own results.
      expect(await fcn(undefined, ...args, out)).toMatchObject({ code: 0, lines: [] });
      expect(await written()).toHaveLength(6);
    },
    600_000,
  );
});
