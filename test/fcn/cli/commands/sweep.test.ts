import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/deviceCommandLine.js";
import { temporaryFolder, writeTree } from "../../data/trees.js";
import { writeTinyData } from "../../training/tinyData.js";

const root = await temporaryFolder("fcn-sweep-command");
const data = await writeTinyData(join(root, "data"), 8);

describe("fcn sweep", () => {
  const net = ["--data", data, "--workers", "0", "--batch", "3", "--steps", "2", "--model", "fcn32s-small"];

  it("takes several values of a flag, tells of each trial, and prints what became of them", async () => {
    const out = join(root, "command");
    const flags = ["--width", "0.25,0.5", "--lr", "0.01,0.02", "--model-option", "deconv=learned"];
    const { code, stdout, stderr } = await command(["sweep", ...net, ...flags, "--out", out]);
    expect([code, stderr.includes("error")]).toEqual([0, false]);
    const lines = stdout.split("\n").filter((line) => / steps$/.test(line));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^lr=0\.01,model-option=deconv=learned,widthMultiplier=0\.25: mean IU [\d.]+ %, 2 steps$/);
    expect(stdout).toMatch(/^1 .* complete$/m);
    expect(stdout).toMatch(new RegExp(`^the best is ${out}/lr=.*, mean IU [\\d.]+ %$`, "m"));
    const again = await command(["sweep", ...net, ...flags, "--out", out, "--resume", "--json"]);
    expect(JSON.parse(again.stdout).trials).toHaveLength(4);
  });

  it("takes what trials share from a configuration, and ranges of what is drawn", async () => {
    const [out, config] = [join(root, "drawn"), join(root, "config.json")];
    await writeTree(root, {
      "config.json": JSON.stringify({ data, model: "fcn32s-small", width: 0.25, lr: 7, steps: 1 }),
    });
    const drawing = ["--lr", "1e-3..1e-1", "--momentum", "0.5..0.9:linear", "--random", "2", "--random-seed", "5"];
    const flags = ["--optimizer", "sgd", "--workers", "0", "--out", out, "--json"];
    const { code, stdout, stderr } = await command(["sweep", "--config", config, ...drawing, ...flags]);
    expect([stderr.includes("error"), code]).toEqual([false, 0]);
    const { trials } = JSON.parse(stdout) as { trials: { settings: { learningRate: number; momentum: number } }[] };
    for (const { settings } of trials) {
      expect(settings.learningRate).toBeLessThanOrEqual(0.1);
      expect(settings.momentum).toBeGreaterThanOrEqual(0.5);
    }
    expect(new Set(trials.map(({ settings }) => settings.momentum)).size).toBe(2);
    const { plan } = JSON.parse(await readFile(join(out, "sweep.json"), "utf8"));
    const modelOptions = { widthMultiplier: 0.25 };
    expect(plan.settings).toMatchObject({ model: "fcn32s-small", modelOptions, steps: 1, optimizer: "sgd" });
  });

  it("fails if all trials do", async () => {
    const flags = ["--width", "0.25", "--lr", "1e30,1e31", "--out", join(root, "all-fail"), "--optimizer", "sgd"];
    const { code, stderr } = await command(["sweep", ...net, ...flags, "--steps", "4"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: sweep: all 2 trials failed; lr=1e\+30: train: /m);
  });

  it.each([
    [["--lr", "1e-3,x"], 'error: --lr is "1e-3,x"\nfix: for "x", use a number above 0'],
    [["--model", "fcn8s-smal,fcn32s-small"], 'fix: for "fcn8s-smal", did you mean fcn8s-small'],
    [["--lr", "1e-3"], "there is only one trial"],
    [["--lr", "1e-3..1"], "draw some: --random 20"],
    [["--lr", "1e-3..1", "--random-seed", "1"], "--random-seed is given without --random"],
    [["--lr", "1e-3,1", "--min-steps", "1"], "--min-steps is given without --halving"],
    [["--lr", "1e-3,1", "--learning", "1"], "unknown option '--learning'"],
    [["--lr", "1e-3,1", "--attach", "0123456789ab"], "--attach is for the workers of a queue"],
    [["--lr", "1e-3,1", "--epochs", "2"], "--steps and --epochs cannot be used together"],
  ])("refuses %j as wrong usage", async (flags, message) => {
    const { code, stderr } = await command(["sweep", ...net, ...flags, "--out", join(root, "wrong")]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(join(root, "wrong"))).toBe(false);
  });
});
