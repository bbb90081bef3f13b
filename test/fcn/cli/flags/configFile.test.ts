import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fcn } from "../../../support/deviceCommandLine.js";
import { temporaryFolder } from "../../data/trees.js";
import { writeTinyData } from "../../training/tinyData.js";

const root = await temporaryFolder("cli-config");
const data = await writeTinyData(join(root, "data"), 5);

const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(root, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

const train = (...args: readonly string[]) => fcn(["train", "--json", ...args]);

const SMALL = {
  ...{ data, model: "fcn32s-small", width: 0.25, "model-option": "dropout=0.25", batch: 2, workers: 0 },
  ...{
    schedule: "fixed",
    steps: 3,
    validateEvery: 2,
    readEvery: 1,
    "lr-multiplier": "score*=2",
    open: { validation: 0.4 },
  },
};

async function effective(out: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(out, "config.json"), "utf8"));
}

describe("fcn train --config and --set", () => {
  it("take options by both names; flags win over --set, and --set over the file", async () => {
    const config = await file("run.json", { ...SMALL, lr: 0.5, seed: 5, momentum: 0.5, optimizer: "sgd", epochs: 7 });
    const out = join(root, "merged");
    const sets = ["--set", "lr=0.25", "--set", "learning-rate=0.125", "--set", "seed=4", "--set", 'heads={"out":2}'];
    const run = await train(
      "--config",
      config,
      ...sets,
      "--out",
      out,
      "--seed",
      "3",
      "--width",
      "0.125",
      "--steps",
      "2",
    );
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("error:")]);
    expect(await effective(out)).toMatchObject({
      ...{ data, model: "fcn32s-small", modelOptions: { widthMultiplier: 0.125, dropout: 0.25 }, batchSize: 2 },
      ...{ seed: 3, learningRate: 0.125, momentum: 0.5, steps: 2, heads: { out: 2 }, open: { validation: 0.4 } },
      multipliers: { layers: { "score*": { lr: 2 } } },
    });
  });

  it("repeat a run bit for bit from its config.json, whatever filled in its settings", async () => {
    const config = await file("first.json", SMALL);
    const [first, again] = [join(root, "first"), join(root, "again")];
    const flags = ["--config", config, "--recipe", "torchvision", "--scale", "1.5", "--class-weights", "median"];
    expect(await train(...flags, "--out", first)).toMatchObject({ code: 0 });
    const repeated = await train("--config", join(first, "config.json"), "--out", again);
    expect([repeated.code, repeated.stderr]).toEqual([0, expect.not.stringContaining("error:")]);
    for (const name of ["weights.safetensors", "best.safetensors", "metrics.csv", "config.json"]) {
      const [a, b] = await Promise.all([first, again].map((out) => readFile(join(out, name))));
      expect(a?.equals(b as Buffer), name).toBe(true);
    }
  });

  it.each([
    [
      { batchsize: 2 },
      /^error: .*wrong\.json: there is no option "batchsize"\nfix: did you mean batchSize\b.*fcn train --help/,
    ],
    [{ batch: 0 }, /^error: .*wrong\.json: batch is 0\nfix: use a whole number/],
    [{ crop: "32x" }, /^error: .*wrong\.json: crop is "32x"\nfix: use height x width/],
    [{ model: "fcn8s-vgg61" }, /^error: .*wrong\.json: model is "fcn8s-vgg61"\nfix: did you mean fcn8s-vgg16/],
    [{ freezeBatchNorm: 1 }, /^error: .*wrong\.json: freezeBatchNorm is 1\nfix: use true or false/],
    [{ data: 3 }, /^error: .*wrong\.json: data is 3\nfix: use text/],
    [{ steps: null }, /^error: .*wrong\.json: steps is null\nfix: use a whole number/],
    [{ heads: { out: "x" } }, /^error: .*wrong\.json: heads is \{"out":"x"\}\nfix: use names, each with a weight/],
    [{ mirror: "yes" }, /^error: .*wrong\.json: mirror is "yes"\nfix: use true or false/],
    [
      { open: { validaton: 0.2 } },
      /^error: .*wrong\.json: there is no option "validaton"\nfix: did you mean validation/,
    ],
    [{ open: 3 }, /^error: .*wrong\.json: open is 3\nfix: use an object of options/],
    [[1], /^error: .*wrong\.json holds \[1\], which is no JSON object\n/],
    [{ steps: 2, epochs: 2, data, model: "fcn32s-small" }, /^error: --steps and --epochs cannot be used together\n/],
  ])("refuses %j as wrong use", async (content, message) => {
    const outcome = await train("--config", await file("wrong.json", content), "--out", join(root, "none"));
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("names --set, a file that is missing, and one that is not JSON", async () => {
    const [out, set] = [["--out", join(root, "none")], (text: string) => ["--set", text]];
    const wrong: [string[], number, RegExp][] = [
      [set("lr"), 2, /^error: --set is "lr"\nfix: use an option and its value/],
      [set("lr=-1"), 2, /^error: --set: lr is "-1"\nfix: use a number above 0/],
      [set("learningrate=1"), 2, /^error: --set: there is no option "learningrate"\nfix: did you mean learningRate/],
      [["--config", join(root, "gone.json")], 1, /gone\.json/],
      [["--config", await file("broken.json", "{'lr': 1}")], 1, /broken\.json: it is not JSON/],
      [["--config", await file("empty.json", {})], 2, /--data <dir> is missing/],
    ];
    for (const [args, code, message] of wrong) {
      const outcome = await train(...args, ...out);
      expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringMatching(message)]);
    }
  });
});
