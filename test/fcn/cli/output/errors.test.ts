import { TensorError } from "@fcn/tensor";
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
