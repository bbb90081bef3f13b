import { TensorError } from "@fcn/tensor";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { describeFailure, UsageError } from "../../../../packages/fcn/src/cli/output/errors.js";

describe("describeFailure", () => {
  const quiet = { verbose: false };

  it("prints message and remedy of a library error, one line each", () => {
    const error = new TensorError({
      code: "invalid-shape",
      message: "conv2d: got [1, 3]\n  expected 4",
      fix: "reshape\nit",
    });
    expect(describeFailure(error, quiet)).toEqual({
      text: "error: conv2d: got [1, 3]; expected 4\nfix: reshape; it\n",
      exitCode: 1,
    });
  });

  it.each([
    ["fetchWeights a/b: no connection", "a/b: no connection"],
    ["loadModel: it names no net", "it names no net"],
    ["models.create unet: option x is unknown", "unet: option x is unknown"],
    ["composeSamples: no cutout is left", "no cutout is left"],
    ["inceptionV3FromKeras: the weights hold no layer", "the weights hold no layer"],
    ["readSafetensors: cannot read x.safetensors", "cannot read x.safetensors"],
    ["model.json: its header is damaged", "model.json: its header is damaged"],
    ["openImages: the split val is empty", "openImages: the split val is empty"],
    ["predict: the tile is too small", "predict: the tile is too small"],
  ])("leaves the function that threw out of %j, and no name of the user's", (message, wanted) => {
    const error = new TensorError({ code: "invalid-argument", message, fix: "try" });
    expect(describeFailure(error, quiet).text).toMatch(new RegExp(`^error: ${wanted}\n`));
  });

  it("takes what commander thinks was meant for the remedy", () => {
    const error = new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'\n(Did you mean --y?)");
    expect(describeFailure(error, { ...quiet, command: "train" }).text).toBe(
      "error: unknown option '--x'\nfix: did you mean --y? see fcn train --help\n",
    );
  });

  it("points wrong usage to the help of the command and returns 2", () => {
    expect(describeFailure(new UsageError("--a excludes --b", "leave one out"), quiet)).toEqual({
      text: "error: --a excludes --b\nfix: leave one out\n",
      exitCode: 2,
    });
  });

  it("always has a remedy", () => {
    expect(describeFailure(new Error("disk full"), quiet)).toEqual({
      text: "error: disk full\nfix: run the command again with --verbose to see where it failed\n",
      exitCode: 1,
    });
    expect(describeFailure("a bare string", quiet).text).toMatch(/^error: a bare string\nfix: /);
  });

  it("shows stacks, down to the first cause, only when verbose", () => {
    const error = new Error("outer", { cause: new Error("inner") });
    expect(describeFailure(error, quiet).text).not.toContain("errors.test");
    const { text } = describeFailure(error, { verbose: true });
    expect(text).toContain("Error: outer\n    at ");
    expect(text).toContain("caused by Error: inner\n    at ");
  });
});
