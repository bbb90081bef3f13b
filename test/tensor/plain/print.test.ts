import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { historyOf, type Printed, printHead } from "../../../packages/tensor/src/plain/print.js";
import { printValues } from "../../../packages/tensor/src/plain/printValues.js";
import type { DType, TypedData } from "../../../packages/tensor/src/plain/types.js";

interface Case {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly (number | string)[];
  readonly text: string;
}

const cases = JSON.parse(readFileSync(new URL("../../golden/printing.json", import.meta.url), "utf8")) as Case[];

const numbers = ({ data, dtype }: Case): Float32Array | Int32Array => {
  const values = data.map((value) => Number(String(value).replace("inf", "Infinity")));
  return dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
};

const printed = (data: TypedData, of: Printed): string => printValues(data, of, historyOf(of));

describe("values", () => {
  it.each(cases.map((given, index) => [`case ${index}, ${given.dtype} ${given.shape}`, given] as const))(
    "%s is printed as by PyTorch",
    (_, given) => {
      const of = { shape: given.shape, dtype: given.dtype, requiresGrad: false, op: undefined, disposed: false };
      expect(printed(numbers(given), of).replace(/size=\[(.*?)\]/, "size=($1)")).toBe(given.text);
    },
  );

  it("the history stands where PyTorch has grad_fn, on a line of its own if the last one is full", () => {
    const of = { shape: [2], dtype: "float32", requiresGrad: true, op: "relu", disposed: false } as const;
    expect(printed(new Float32Array([0, 1]), of)).toBe("tensor([0., 1.], op=relu)");
    expect(printed(new Float32Array([0, 1]), { ...of, op: undefined })).toBe("tensor([0., 1.], requiresGrad=true)");
    const full = printed(new Float32Array(8).fill(1.5), { ...of, shape: [8], op: "convTranspose2d" });
    expect(full.split("\n")).toEqual([expect.stringMatching(/1\.5000\],$/), "       op=convTranspose2d)"]);
  });
});

it("a tensor without its values has shape, dtype and history", () => {
  const of = { shape: [1, 3], dtype: "float16", requiresGrad: true, op: undefined, disposed: false } as const;
  expect(printHead(of)).toBe("tensor(shape=[1, 3], dtype=float16, requiresGrad=true)");
  expect(printHead({ ...of, op: "conv2d", disposed: true })).toBe(
    "tensor(shape=[1, 3], dtype=float16, op=conv2d, disposed)",
  );
});
