import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";
import { greyPng, photo, temporaryFolder, writeTree } from "../../data/trees.js";
import { writeTinyData } from "../../training/tinyData.js";

const FCN = fileURLToPath(new URL("../../../../packages/fcn/bin/fcn.js", import.meta.url));
const root = await temporaryFolder("fcn-train");
const data = await writeTinyData(join(root, "data"));

const train = (args: readonly string[]) => fcn(["train", ...args]);

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `fcn train` in a program of its own; `onOutput` sees what it printed so far and may kill it. */
function program(args: readonly string[], onOutput?: (out: string, kill: () => void) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [FCN, "train", ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, () => child.kill("SIGKILL"));
    });
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const small = ["--data", data, "--model", "fcn8s-small", "--width", "0.25", "--batch", "3", "--workers", "0"];

describe("fcn train", () => {
  it("returns wrong usage with 2 and what is wrong with the data with 1", async () => {
    const out = ["--out", join(root, "none")];
    const wrong: [string[], number, RegExp][] = [
      [["--data", data, "--model", "nope", ...out], 2, /--model is "nope"/],
      [[...small, ...out, "--crop", "32x"], 2, /--crop is "32x"/],
      [[...small, "--out", ""], 2, /--out is "".*\nfix: name a new or existing folder/],
      [[...small, ...out, "--steps", "2", "--epochs", "2"], 2, /cannot be used together/],
      [[...small, ...out, "--model-option", "dropout"], 2, /--model-option is "dropout"/],
      [[...small, ...out, "--model-option", "nope=1"], 2, /option nope is unknown/],
      [[...small, ...out, "--preprocessing", "nope"], 2, /use one of: imagenet, caffe, unit, symmetric/],
      [
        [...small, ...out, "--order", "any"],
        2,
        /--order is "any".*\nfix: use one of: shuffle, sequential, replacement/,
      ],
      [
        [...small, ...out, "--weight-decay", "-1"],
        2,
        /--weight-decay is "-1".*\nfix: use a finite number of at least 0/,
      ],
      [[...small, ...out, "--momentum", "1"], 2, /--momentum is "1".*\nfix: use a number from 0 to below 1/],
      [[...small, ...out, "--accumulation-steps", "0"], 2, /--accumulation-steps is "0"/],
      [
        [...small, ...out, "--reduction", "total"],
        2,
        /--reduction is "total".*\nfix: use one of: sum, batch, mean, imageMeans/,
      ],
      [
        [...small, ...out, "--pretrained", "nsfwjs/mobilenet"],
        2,
        /--pretrained is .*\nfix: did you mean nsfwjs\/mobilenetv2/,
      ],
      [[...small, ...out, "--pretrained", "--weights", "x"], 2, /--weights and --pretrained cannot be used together/],
      [[...small, ...out, "--pretrained"], 1, /no pretrained weights are published for fcn8s-small/],
      [[...small, ...out, "--recipe", "best"], 2, /--recipe is "best".*\nfix: use one of: fcn-heavy/],
      [["--data", join(root, "nowhere"), "--model", "fcn8s-small", ...out], 1, /does not exist/],
    ];
    for (const [args, code, message] of wrong) {
      const outcome = await train(args);
      expect(outcome.stderr).toMatch(message);
      expect(outcome.code).toBe(code);
    }
    expect(await readdir(root)).toEqual(["data"]);
  });

  it("prints plain lines in a pipe, and one object with --json", async () => {
    const choices = ["--class-weights", "median", "--order", "replacement"];
    const options = [...small, ...choices, "--out", join(root, "plain"), "--steps", "4", "--lr", "0.01"];
    const { code, stdout, stderr } = await train(options);
    expect(stderr).not.toContain("error:");
    expect(code).toBe(0);
    expect(stdout).toMatch(/fcn8s-small: step 4\/4, epoch \d of \d, loss [\d.]+, [\d.]+ images\/s, 0 s left/);
    expect(stdout).toMatch(/validation mean IU 0\.\d+/);
    expect(stdout).not.toContain("\u001b");
    const net = ["--model", "fcn8s-small", "--width", "0.25"];
    const unnamed = options.filter((option) => !net.includes(option));
    const again = await train([...unnamed, "--resume", "--json"]);
    expect(again.code).toBe(0);
    const result = JSON.parse(again.stdout);
    expect(result).toMatchObject({ model: "fcn8s-small", done: 4, resumedFrom: 4 });
    expect(result.configuration.order).toBe("replacement");
    // The median frequency has weight 1.
    expect(result.configuration.classWeights).toContain(1);
  });

  it("says when training waited for images, and what helps", async () => {
    const large = await writeTinyData(join(root, "large"), 4);
    const files: Record<string, Uint8Array | string> = { "splits/train.txt": "0\n1\n2", "splits/val.txt": "3" };
    for (const i of [0, 1, 2]) {
      files[`images/${i}.png`] = await photo(1600, 1600, i).png().toBuffer();
      files[`masks/${i}.png`] = greyPng(1600, 1600, (x, y) => ((x + y) >> 6) % 3);
    }
    await writeTree(large, files);
    const flags = ["--crop", "32x32", "--steps", "6", "--batch", "2", "--workers", "1", "--width", "0.25"];
    const every = ["--validate-every", "6"];
    const args = ["--data", large, "--model", "fcn8s-small", "--out", join(root, "waits"), ...flags, ...every];
    const { code, stdout, stderr } = await train(args);
    expect(stderr).not.toContain("error:");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^training waited for images \d+\.\d % of its time: .*--workers.*smaller$/m);
  });

  it("killed at any moment goes on with --resume, tears no file, and ends with the bits of a run that was not", async () => {
    const kills = Number(process.env.FCN_KILLS ?? 3);
    const options = [...small, "--steps", "40", "--lr", "0.01", "--checkpoint-every", "2", "--validate-every", "6"];
    const [straight, killed] = [join(root, "straight"), join(root, "killed")];
    const begin = performance.now();
    expect((await program([...options, "--out", straight])).code).toBe(0);
    const length = performance.now() - begin;
    let landed = 0;
    let resumed = 0;
    for (let i = 0; i < kills; i++) {
      // From the first checkpoint on, at another moment each time.
      const delay = ((i * 0.618) % 1) * (length / 8);
      let armed = false;
      const outcome = await program([...options, "--out", killed, "--resume"], (out, kill) => {
        if (armed || !out.includes(" images/s")) return;
        armed = true;
        setTimeout(kill, delay);
      });
      expect(outcome.stderr).not.toContain("error:");
      if (outcome.signal === "SIGKILL") landed++;
      if (/going on after \d+/.test(outcome.stdout)) resumed++;
      const files = await readdir(join(killed, "checkpoint"));
      for (const name of files.filter((file) => file.endsWith(".safetensors"))) {
        expect(Object.keys(await io.readSafetensors(join(killed, "checkpoint", name))).length).toBeGreaterThan(10);
      }
      for (const name of (await readdir(killed)).filter((file) => file.endsWith(".safetensors"))) {
        await io.readSafetensors(join(killed, name));
      }
    }
    expect(landed).toBeGreaterThan(0);
    expect(resumed).toBeGreaterThan(0);
    await writeFile(join(killed, "notes.tmp"), "a user's");
    const last = await train([...options, "--out", killed, "--resume"]);
    expect(last.stderr).not.toContain("error:");
    expect(last.code).toBe(0);
    for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
      expect((await readFile(join(killed, file))).equals(await readFile(join(straight, file))), file).toBe(true);
    }
    const left = [...(await readdir(killed)), ...(await readdir(join(killed, "checkpoint")))];
    expect(left.filter((name) => name.endsWith(".tmp"))).toEqual(["notes.tmp"]);
  });
});
