import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-folder");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const base = () => ({ ...tinyRun(data, device), batchSize: 2, steps: 1 });

/** The time of the start of a process that has ended, and that nobody has asked for. */
async function untilZombie(pid: number): Promise<string | undefined> {
  for (;;) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    if (fields[0] === "Z") return fields[19];
    await sleep(5);
  }
}

describe("the data of a run that goes on", () => {
  it("may be a copy, and is told where masks or images are others", async () => {
    const [first, out] = [await writeTinyData(join(root, "before"), 5), join(root, "changing")];
    await fcn.trainRun({ ...base(), data: first, out });
    const told = async (folder: string): Promise<string[]> => {
      const lines: string[] = [];
      const view = { line: (text: string) => void lines.push(text) };
      await fcn.trainRun({ ...base(), data: folder, out, resume: true, view });
      return lines.filter((text) => text.includes("changed"));
    };
    expect(await told(await writeTinyData(join(root, "copied"), 5))).toEqual([]);
    await writeTree(first, { "masks/1.png": greyPng(32, 32, () => 2) });
    expect(await told(first)).toEqual([expect.stringMatching(/^the masks have changed since the checkpoint/)]);
    await writeTree(first, { "images/1.png": rgbPng(32, 32, (x) => x * x * 999) });
    expect(await told(first)).toEqual([expect.stringMatching(/^the images and masks have changed/)]);
  });
});

describe("the folder of a run", () => {
  it("is not written over where it holds a net without a checkpoint, unless that is asked for", async () => {
    const out = join(root, "finished");
    await fcn.trainRun({ ...base(), out });
    const best = join(out, "best.safetensors");
    const before = await readFile(best);
    await rm(join(out, "checkpoint"), { recursive: true });
    const other = { ...base(), seed: 8, out };
    for (const resume of [false, true]) {
      await expect(fcn.trainRun({ ...other, resume })).rejects.toMatchObject({
        code: "run-exists",
        message: expect.stringContaining("holds a net, best.safetensors, and no checkpoint"),
        fix: expect.stringContaining("overwrite: true"),
        commandFix: expect.stringContaining("--overwrite"),
      });
    }
    expect((await readFile(best)).equals(before)).toBe(true);
    await expect(fcn.trainRun({ ...other, resume: true, overwrite: true })).rejects.toThrow(/cannot be used together/);
    await fcn.trainRun({ ...other, overwrite: true });
    expect((await readFile(best)).equals(before)).toBe(false);
    // A run is replaced with all that it left.
    expect(await readdir(join(out, "tensorboard"))).toHaveLength(1);
    await fcn.trainRun({ ...base(), steps: 2, out, overwrite: true });
    expect(await readdir(join(out, "checkpoint"))).toEqual(["step-000000002.safetensors"]);
    expect(await readdir(join(out, "tensorboard"))).toHaveLength(1);
  });

  it("may hold what a run left that was killed before its first checkpoint", async () => {
    const [from, out] = [join(root, "whole"), join(root, "killed")];
    await fcn.trainRun({ ...base(), out: from });
    await fcn.trainRun({ ...base(), out });
    for (const name of ["report.html", "metrics.csv", "checkpoint/step-000000001.safetensors"])
      await rm(join(out, name));
    await expect(fcn.trainRun({ ...base(), out })).rejects.toMatchObject({
      fix: expect.stringMatching(/^start .*resume: true/),
      commandFix: expect.stringMatching(/^start .*--resume/),
    });
    expect(await fcn.trainRun({ ...base(), out, resume: true })).toMatchObject({ resumedFrom: 0, done: 1 });
  });

  it("is not that of the weights to start from", async () => {
    const out = join(root, "own");
    await fcn.trainRun({ ...base(), out });
    const link = join(root, "linked.safetensors");
    await symlink(join(out, "best.safetensors"), link);
    for (const weights of [join(out, "weights.safetensors"), link]) {
      await expect(fcn.trainRun({ ...base(), out, weights, overwrite: true })).rejects.toThrow(
        /would overwrite .*\.safetensors/,
      );
    }
    const beside = join(out, "start.safetensors");
    await copyFile(link, beside);
    expect(await fcn.trainRun({ ...base(), out, weights: beside, overwrite: true })).toMatchObject({ done: 1 });
  });

  it("is written by one run at a time", async () => {
    const out = join(root, "busy");
    const second: Promise<unknown>[] = [];
    const view = {
      start: () => void second.push(fcn.trainRun({ ...base(), out, resume: true }).catch((error) => error)),
    };
    await fcn.trainRun({ ...base(), out, view });
    expect(await second[0]).toMatchObject({
      code: "folder-in-use",
      message: expect.stringContaining(`another run (process ${process.pid} on ${hostname()})`),
    });
    expect(await readdir(out)).not.toContain("run.lock");
  });

  it("is taken over from a run that is gone, also where another process has its number", async () => {
    const out = join(root, "stale");
    const lock = join(out, "run.lock");
    let own: Record<string, unknown> = {};
    await fcn.trainRun({ ...base(), out, view: { start: () => (own = JSON.parse(readFileSync(lock, "utf8"))) } });
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "close");
    // A shell that becomes another program never asks for the child that it has killed.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; kill -9 $!; exec sleep 60"]);
    const zombie = Number(String((await once(parent.stdout, "data"))[0]));
    const again = { ...base(), out, resume: true };
    // Its start tells a process from an earlier one with its number.
    const reused = own.started === undefined ? [] : [{ ...own, started: "1" }];
    const stat = existsSync("/proc/self/stat") ? await untilZombie(zombie) : undefined;
    const killed = stat === undefined ? [] : [{ ...own, pid: zombie, started: stat }];
    for (const owner of [{ ...own, pid: child.pid }, ...reused, ...killed]) {
      await writeFile(lock, JSON.stringify(owner));
      expect(await fcn.trainRun(again)).toMatchObject({ done: 1, resumedFrom: 1 });
    }
    parent.kill();
    for (const foreign of [JSON.stringify({ ...own, host: "elsewhere" }), ""]) {
      await writeFile(lock, foreign);
      await expect(fcn.trainRun(again)).rejects.toMatchObject({
        code: "folder-in-use",
        fix: expect.stringContaining(lock),
      });
      // It has shown no sign of life for long.
      await utimes(lock, 1, 1);
      expect(await fcn.trainRun(again)).toMatchObject({ done: 1, resumedFrom: 1 });
    }
    expect((await readdir(out)).filter((name) => name.includes("lock"))).toEqual([]);
  });
});
