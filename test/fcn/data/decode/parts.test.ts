import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { badShape, emptyShape, partOfError, partProblem } from "../../../../packages/fcn/src/data/decode/parts.js";

describe("the parts that are left out of a label map", () => {
  const lost = badShape("it has 2 points", "draw it again", "unknown-label");
  const warning = emptyShape("it covers no pixel");

  it("are problems of bad shapes unless said otherwise, or warnings of empty ones", () => {
    expect(badShape("it has 2 points")).toMatchObject({ level: "problem", code: "bad-shape" });
    expect(lost).toEqual({ level: "problem", code: "unknown-label", problem: "it has 2 points", fix: "draw it again" });
    expect(warning).toMatchObject({ level: "warning", code: "empty-shape", problem: "it covers no pixel" });
    expect(warning.fix).toBe(badShape("").fix);
  });

  it("are made of errors of the package, and others are thrown again", () => {
    const error = new TensorError({ code: "corrupt-file", message: "shape 3: it is damaged", fix: "mend it" });
    expect(partOfError(error)).toEqual({ ...badShape("shape 3: it is damaged", "mend it") });
    const fault = new RangeError("a fault of the program");
    expect(() => partOfError(fault)).toThrow(fault);
  });

  it("are an error of their file where pixels are lost, the first of them", () => {
    const error = partProblem("a.json", [warning, lost, badShape("another")]);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({ code: "unknown-label", message: "a.json: it has 2 points", fix: "draw it again" });
    expect(partProblem("a.json", [warning, warning])).toBeUndefined();
    expect(partProblem("a.json", [])).toBeUndefined();
    expect(partProblem("a.json")).toBeUndefined();
  });
});
