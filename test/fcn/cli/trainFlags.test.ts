import { join } from "node:path";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { fcn } from "../../support/deviceCommandLine.js";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "../training/tinyData.js";

const root = await temporaryFolder("cli-train-flags");
const data = await writeTinyData(join(root, "data"), 3);

const SMALL = ["--model", "fcn32s-small", "--width", "0.25", "--batch", "2", "--workers", "0", "--schedule", "fixed"];

async function train(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await fcn(["train", "--data", data, "--out", join(root, name), "--json", ...args]);
  const error = stderr.slice(stderr.indexOf("error:"));
  return { code, stdout, error: stderr.includes("error:") ? error : "" };
}

describe("fcn train --lr-multiplier", () => {
  const held = ["--lr-multiplier", "conv*=0", "--lr-multiplier", "fc*=0,score_fr=3"];

  it("holds for the parameters that it names, and is part of what a run goes on with", async () => {
    const weights = async (name: string, steps: string) => {
      const { code, error, stdout } = await train(name, ...SMALL, ...held, "--steps", steps);
      expect([error, code]).toEqual(["", 0]);
      const { multipliers } = JSON.parse(stdout).configuration;
      expect(multipliers).toEqual({ layers: { "conv*": { lr: 0 }, "fc*": { lr: 0 }, score_fr: { lr: 3 } } });
      return io.readSafetensors(join(root, name, "weights.safetensors"));
    };
    const [one, two] = [await weights("one", "1"), await weights("two", "2")];
    for (const name of Object.keys(one).filter((key) => /^(conv|fc).*(weight|bias)$/.test(key))) {
      expect(two[name]?.data, name).toEqual(one[name]?.data);
    }
    expect(two["score_fr.weight"]?.data).not.toEqual(one["score_fr.weight"]?.data);
    const other = await train("two", ...SMALL, ...held.slice(0, 2), "--steps", "2", "--resume");
    expect(other.error).toMatch(
      /^error: train: the checkpoint .* is of another run: multipliers was \{"layers":.* and is \{"layers":\{"conv\*":\{"lr":0\}\}\}\n/,
    );
    expect(other.code).toBe(1);
  });

  it.each([
    ["score_ft=10", 1, /^error: train: multipliers names "score_ft".*\nfix: the nearest names are score_fr, .*score\*/],
    [
      "score*",
      2,
      /^error: --lr-multiplier is "score\*"\nfix: use names, each with a factor of at least 0, such as score\*=10/,
    ],
    ["score*=-1", 2, /^error: --lr-multiplier is "score\*=-1"\n/],
    ["score*=10,=2", 2, /^error: --lr-multiplier is "score\*=10,=2"\n/],
  ])("refuses %s", async (value, code, message) => {
    const outcome = await train("none", ...SMALL, "--lr-multiplier", value);
    expect(outcome.error).toMatch(message);
    expect(outcome.code).toBe(code);
  });
});

describe("fcn train --heads", () => {
  const torchvision = ["--model", "fcn_resnet50", "--width", "0.016", "--batch", "2", "--workers", "0", "--steps", "1"];

  it("weighs the losses of the heads that are trained, which a run goes on with", async () => {
    const loss = async (name: string, ...heads: string[]): Promise<number> => {
      const { error, stdout } = await train(name, ...torchvision, ...heads);
      expect(error).toBe("");
      return JSON.parse(stdout).loss as number;
    };
    const [out, aux] = [await loss("out"), await loss("aux", "--heads", "aux=1")];
    expect(await loss("both", "--heads", "out=1,aux=0.5")).toBeCloseTo(out + 0.5 * aux, 4);
    const { error } = await train("both", ...torchvision, "--heads", "out=1", "--resume");
    expect(error).toMatch(/is of another run: heads was \{"out":1,"aux":0\.5\} and is \{"out":1\}\n/);
  });

  it.each([
    ["out=1,aux=0.4", 1, /^error: train: heads names "aux", but the net has out\nfix: name heads of the net/],
    ["out=0", 2, /^error: --heads is "out=0"\nfix: use names, each with a weight above 0, such as out=1,aux=0.4\n/],
  ])("refuses %s for a net with one head", async (value, code, message) => {
    const outcome = await train("none", ...SMALL, "--heads", value);
    expect(outcome.error).toMatch(message);
    expect(outcome.code).toBe(code);
  });
});

describe("fcn train", () => {
  it.each([
    [["--momentum", "0.9"], /^error: --momentum with the optimizer adamw, which has none\n/],
    [["--model-option", "foo=1"], /^error: fcn32s-small: option foo is unknown\nfix: use some of: /],
    [["--resume", "--overwrite"], /^error: --resume and --overwrite cannot be used together\n/],
  ])("takes %j for wrong use", async (args, message) => {
    const outcome = await train("none", ...SMALL, ...args);
    expect([outcome.code, outcome.error]).toEqual([2, expect.stringMatching(message)]);
  });

  it("says that a warm-up is longer than the run", async () => {
    const flags = ["train", "--data", data, "--out", join(root, "warm"), ...SMALL, "--steps", "1", "--warm-up", "1000"];
    const { stdout } = await fcn(flags);
    expect(stdout).toContain("the warm-up of 1000 steps does not end within the run of 1");
  });
});

describe("fcn bench", () => {
  it("shows the forward pass of a net that cannot be trained on so little, and says why", async () => {
    const flags = ["bench", "--model", "fcn8s-small", "--width", "0.25", "--size", "32x32", "--repeats", "1"];
    const { code, stdout, stderr } = await fcn(flags);
    expect(stdout).toMatch(/^forward +\d/m);
    expect(stderr).toMatch(
      /error: bench: the training pass failed: .*one value per channel.*\nfix: use a larger --batch or --size\n/,
    );
    expect(code).toBe(1);
  });

  it.each(["bench", "tune"])(
    "of a net that averages over the image asks for a larger batch, as %s does",
    async (name) => {
      const net = ["--model", "deeplabv3_mobilenet_v3_large", "--width", "0.05", "--size", "32x32"];
      const { code, stderr } = await fcn([name, ...net, ...(name === "bench" ? ["--repeats", "1"] : [])]);
      expect(stderr).toMatch(/error: .*one value per channel.*\nfix: use a larger --batch\n/);
      expect(code).toBe(1);
    },
  );
});
