import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fcn } from "../../support/deviceCommandLine.js";
import { greyPng, temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "../training/tinyData.js";

const root = await temporaryFolder("cli-skip-bad");
const folder = await writeTinyData(join(root, "photos"), 8);
const sound = readFileSync(join(folder, "masks/3.png"));
writeFileSync(
  join(folder, "masks/3.png"),
  greyPng(32, 31, () => 1),
);

const out = join(root, "run");
const small = [
  "--model",
  "fcn32s-small",
  "--width",
  "0.25",
  "--batch",
  "1",
  "--workers",
  "0",
  "--seed",
  "1",
  "--freeze-batch-norm",
];
const train = (...more: string[]) => fcn(["train", "--data", folder, "--out", out, ...small, "--json", ...more]);

describe("--skip-bad", () => {
  it("is named where one image keeps a folder from being trained on", async () => {
    const { code, stderr } = await train("--steps", "1");
    expect(code).toBe(1);
    expect(stderr).toContain("masks/3.png: the labels are 32x31, but 3.png is 32x32");
    expect(stderr).toContain("or leave out what cannot be used: --skip-bad");
    const checked = await fcn(["data", "check", folder]);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain("with --skip-bad, fcn train and fcn eval leave out");
    expect((await fcn(["data", "check", folder, "--skip-bad"])).code).toBe(0);
  });

  it("trains on the others, tells and lists what is left out, and goes on with the same", async () => {
    const { code, stdout, stderr } = await train("--steps", "2", "--checkpoint-every", "1", "--skip-bad");
    expect(stderr).not.toContain("error:");
    expect(code).toBe(0);
    expect(stderr.indexOf("images that cannot be used are left out: ")).toBeLessThan(stderr.indexOf("3 is left out: "));
    const result = JSON.parse(stdout);
    expect(result.leftOut).toEqual([expect.objectContaining({ name: "3", code: "size-mismatch" })]);
    expect(result.configuration.leftOut).toEqual([expect.stringMatching(/^(train|val): 3$/)]);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("Images that were left out (1)");
    expect((await train("--steps", "2", "--skip-bad", "--resume")).code).toBe(0);
  });

  it("measures the others", async () => {
    const measure = (...more: string[]) =>
      fcn(["eval", "--data", folder, "--weights", join(out, "weights.safetensors"), "--json", ...more]);
    const checked = await fcn(["data", "check", folder, "--skip-bad", "--json"]);
    const split = JSON.parse(checked.stdout).leftOut[0].split as string;
    const refused = await measure("--split", split);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("or leave out what cannot be used: --skip-bad");
    const { code, stdout } = await measure("--split", split, "--skip-bad");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).leftOut).toEqual([expect.objectContaining({ split, name: "3" })]);
  });

  it("says so where other images can be used when the run goes on", async () => {
    writeFileSync(join(folder, "masks/3.png"), sound);
    const { code, stderr } = await train("--steps", "2", "--skip-bad", "--resume");
    expect(code).toBe(1);
    expect(stderr).toMatch(/leftOut was \["(train|val): 3"\] and is none/);
    expect(stderr).toContain("fix: the images that cannot be used have changed since the run was started");
  });
});
