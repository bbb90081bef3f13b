import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { fcn as command } from "../../support/commandLine.js";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";
import { writeTinyData } from "../training/tinyData.js";

const FCN = fileURLToPath(new URL("../../../packages/fcn/bin/fcn.js", import.meta.url));
const SIGNALS = pathToFileURL(
  fileURLToPath(new URL("../../../packages/fcn/dist/cli/output/signals.js", import.meta.url)),
);
const SCRIPT = "/usr/bin/script";
const root = await temporaryFolder("fcn-signals");
const data = await writeTinyData(join(root, "data"));
const net = ["--model", "fcn8s-small", "--width", "0.25", "--batch", "3", "--workers", "0", "--lr", "0.01"];

/** Many images, so that looking at all of them takes a while. */
async function writeMany(folder: string): Promise<string> {
  const mask = greyPng(500, 500, (x, y) => (x ^ y) & 1);
  const image = rgbPng(500, 500, (x, y) => x * y);
  const names = Array.from({ length: 100 }, (_, i) => `${i}`);
  await writeTree(
    folder,
    Object.fromEntries(names.flatMap((name) => [[`images/${name}.png`, image] as const, [`masks/${name}.png`, mask]])),
  );
  return folder;
}
const many = await writeMany(join(root, "many"));

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

function start(command: string, args: readonly string[]): Running {
  const child = spawn(command, args);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  return { child, out: () => out, err: () => err, ended: once(child, "close") as Running["ended"] };
}
const fcn = (...args: string[]): Running => start(process.execPath, [FCN, ...args]);

async function until({ child }: Running, isSo: () => boolean): Promise<void> {
  while (!isSo() && child.exitCode === null && child.signalCode === null) await sleep(1);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
}

/** Whether the process has a file open whose path contains `part`. */
function hasOpen({ child }: Running, part: string): boolean {
  const folder = `/proc/${child.pid}/fd`;
  try {
    return readdirSync(folder).some((name) => readlinkSync(join(folder, name)).includes(part));
  } catch {
    return false;
  }
}

describe("Ctrl-C", () => {
  it.runIf(existsSync("/proc/self/fd"))("ends fcn train while it looks at the masks", async () => {
    const out = join(root, "masks run");
    const run = fcn("train", "--data", many, ...net, "--out", out);
    await until(run, () => hasOpen(run, "many/masks/"));
    run.child.kill("SIGINT");
    const begin = performance.now();
    expect(await run.ended).toEqual([1, null]);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(run.err()).toMatch(
      /^stopping; Ctrl-C again ends at once.*\nerror: train: stopped before the first step\nfix: /,
    );
    expect(existsSync(out)).toBe(false);
  });

  it("ends a validation, which the run that goes on makes anew, to the same bits", async () => {
    const steps = ["--steps", "4", "--validate-every", "2", "--checkpoint-every", "2"];
    const long = await writeTinyData(join(root, "long"), 36);
    const names = Array.from({ length: 36 }, (_, i) => `${i}`);
    const lists = { "splits/train.txt": names.slice(0, 6).join("\n"), "splits/val.txt": names.slice(6).join("\n") };
    await writeTree(long, lists);
    const args = ["train", "--data", long, ...net, ...steps];
    const [straight, stopped] = [join(root, "straight"), join(root, "stopped")];
    expect(await command([...args, "--out", straight])).toMatchObject({ code: 0 });
    for (const step of [2, 4]) {
      const run = fcn(...args, "--out", stopped, "--resume");
      // What comes next is the validation of 30 images.
      await until(run, () => run.out().includes(`step ${step}/4`));
      run.child.kill("SIGINT");
      expect(await run.ended).toEqual([1, null]);
      expect(run.err()).toContain(`error: train: stopped after step ${step} of 4; the checkpoint is in ${stopped}\n`);
      expect(run.out()).not.toContain(`step ${step}, validation`);
      expect(await readdir(stopped)).not.toContain("report.html");
    }
    const last = await command([...args, "--out", stopped, "--resume"]);
    expect(last.code).toBe(0);
    expect(last.stdout).toContain("fcn8s-small: step 4, validation mean IU");
    for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
      expect((await readFile(join(stopped, file))).equals(await readFile(join(straight, file))), file).toBe(true);
    }
    expect(await readdir(stopped)).toContain("report.html");
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("is answered as %s is: with a checkpoint, and the exit code %i", async (signal, code) => {
    const out = join(root, `ended by ${signal}`);
    const args = ["train", "--data", data, ...net, "--steps", "100000", "--out", out];
    const run = fcn(...args);
    await until(run, () => run.out().includes("loss 0."));
    run.child.kill(signal);
    expect(await run.ended).toEqual([code, null]);
    expect(run.err()).toMatch(/error: train: stopped after step \d+ of 100000; the checkpoint is in /);
    expect(await readdir(join(out, "checkpoint"))).toEqual([expect.stringMatching(/^step-\d+\.safetensors$/)]);
    expect(await readdir(out)).not.toContain("run.lock");
  });

  it("ends fcn train at once when it is pressed again, and leaves nothing half written", async () => {
    const out = join(root, "twice");
    // One step that takes minutes.
    const run = fcn("train", "--data", data, ...net, "--steps", "1", "--accumulation-steps", "100000", "--out", out);
    await until(run, () => run.out().includes("1 steps"));
    run.child.kill("SIGINT");
    await until(run, () => run.err().includes("stopping"));
    // A launcher may pass on what the terminal sends as well: this is the same press.
    run.child.kill("SIGINT");
    await sleep(700);
    expect(run.child.signalCode).toBeNull();
    run.child.kill("SIGINT");
    const begin = performance.now();
    expect(await run.ended).toEqual([null, "SIGINT"]);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await readdir(join(out, "checkpoint"))).toEqual([]);
  });

  it("ends a program that does not stop by itself, and one whose work is over", async () => {
    const program = `
      const { cleanUpOnSignals, stopOnInterrupt } = await import(${JSON.stringify(SIGNALS.href)});
      cleanUpOnSignals();
      const { unlisten } = stopOnInterrupt(() => console.log("stopping"));
      if (process.argv[1] === "over") unlisten();
      setInterval(() => {}, 1000);
      console.log("ready");`;
    for (const kind of ["busy", "over"]) {
      const run = start(process.execPath, ["--input-type=module", "-e", program, kind]);
      await until(run, () => run.out().includes("ready"));
      run.child.kill("SIGINT");
      if (kind === "busy") {
        await until(run, () => run.out().includes("stopping"));
        await sleep(600);
        run.child.kill("SIGINT");
      }
      expect(await run.ended).toEqual([null, "SIGINT"]);
    }
  });
});

/** Whether the last word on the cursor, or on the wrapping of lines, leaves it switched off. */
const isOff = (text: string, mode: 25 | 7): boolean =>
  text.lastIndexOf(`\u001b[?${mode}l`) > text.lastIndexOf(`\u001b[?${mode}h`);

// The options are those of util-linux.
describe.runIf(process.platform === "linux" && existsSync(SCRIPT))("on a terminal", () => {
  /** A command of fcn that has a terminal of its own; what is written to its input is typed there. */
  const typed = (command: string): Running =>
    start(SCRIPT, ["-qec", `exec "${process.execPath}" "${FCN}" ${command}`, "/dev/null"]);
  const training = `train --data "${data}" ${net.join(" ")} --steps 100000 --out`;

  it.each([
    ["fcn train, stopped", `${training} "${join(root, "bar")}"`, /step|loss/, "\u0003"],
    ["fcn data check, stopped", `data check "${many}" --workers 0`, /checking/, "\u0003"],
    ["fcn train on data with a problem", `train --data "${root}/bad" ${net.join(" ")} --out "${root}/no"`, /error/, ""],
  ])("the cursor is there and lines wrap after %s", async (_, command, shown, key) => {
    await writeTinyData(join(root, "bad"), 4);
    await writeTree(join(root, "bad"), { "masks/2.png": greyPng(9, 9, () => 1) });
    const run = typed(command);
    if (key !== "") await until(run, () => shown.test(run.out()));
    run.child.stdin?.write(key);
    await run.ended;
    expect(run.out()).toMatch(shown);
    expect(run.out()).toContain("\u001b");
    expect([isOff(run.out(), 25), isOff(run.out(), 7)]).toEqual([false, false]);
    // A bar that ends after other lines would be put over them.
    expect(run.out().split("stopping")[1] ?? "").not.toContain("\u001b");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("the cursor is there and lines wrap after %s", async (signal) => {
    const run = typed(`${training} "${join(root, signal)}"`);
    await until(run, () => run.out().includes("loss 0."));
    const children = await readFile(`/proc/${run.child.pid}/task/${run.child.pid}/children`, "utf8");
    process.kill(Number.parseInt(children, 10), signal);
    await run.ended;
    expect([isOff(run.out(), 25), isOff(run.out(), 7)]).toEqual([false, false]);
  });
});

describe("SIGTERM", () => {
  it("ends fcn convert while it tries the net, and leaves nothing half written", async () => {
    const from = join(root, "net");
    const trained = await command(["train", "--data", data, ...net, "--steps", "1", "--out", from]);
    expect(trained).toMatchObject({ code: 0 });
    const folder = join(root, "converted");
    await mkdir(folder);
    const files = ["convert", join(from, "weights.safetensors"), join(folder, "net.safetensors")];
    const run = fcn(...files, "--model", "fcn8s-small", "--model-option", "widthMultiplier=0.25");
    await until(run, () => readdirSync(folder).length > 0);
    run.child.kill("SIGTERM");
    expect(await run.ended).toEqual([null, "SIGTERM"]);
    expect(await readdir(folder)).toEqual([]);
  });
});
