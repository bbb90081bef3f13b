import { describe, expect, it } from "vitest";
import {
  classRemarks,
  describeRemarks,
  splitRemarks,
  voidRemarks,
} from "../../../../packages/fcn/src/cli/output/evalRemarks.js";
import type { DataRemark } from "../../../../packages/fcn/src/data/files/remarks.js";
import type { OpenedData } from "../../../../packages/fcn/src/data/samples/dataset.js";

const NET = ["background", "cat", "dog"];
const remarksOf = (names: string[]) => classRemarks("data", "net.safetensors", names, NET);

describe("class names of data and net", () => {
  it("are no matter where they are the same, fewer, or none", () => {
    expect(remarksOf(["Background", "CAT", "dog"])).toEqual([]);
    expect(remarksOf(["background", "cat"])).toEqual([]);
    expect(remarksOf(["class 0", "class 1", "class 2"])).toEqual([]);
  });

  it("that differ at a label are told in pairs", () => {
    const [remark, ...rest] = remarksOf(["background", "kitten", "puppy"]);
    expect(rest).toEqual([]);
    expect(remark).toMatchObject({ level: "warning", code: "class-names", file: "data" });
    expect(remark?.text).toContain('label 1 is "kitten", in the net "cat"; label 2 is "puppy", in the net "dog"');
    expect(remarksOf(["background", "dog"])[0]?.text).toMatch(/^label 1 is "dog", in the net "cat" /);
  });

  it("in another order, or too many, are an error that names both", () => {
    const wrong = { code: "class-mismatch", message: expect.stringContaining("(background, cat, dog)") };
    for (const names of [
      ["background", "Dog", "cat"],
      ["cat", "background"],
      ["background", "cat", "dog", "fish"],
    ]) {
      expect(() => remarksOf(names)).toThrow(expect.objectContaining(wrong));
      expect(() => remarksOf(names)).toThrow(`(${names.join(", ")})`);
    }
  });
});

describe("remarks of a split", () => {
  it("tell that all of it is void", () => {
    expect(
      voidRemarks("data", "val", [
        [0, 0],
        [0, 1],
      ]),
    ).toEqual([]);
    expect(
      voidRemarks("data", "val", [
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([
      {
        level: "warning",
        code: "all-void",
        file: "data",
        text: expect.stringContaining("every pixel of the split val is void"),
      },
    ]);
  });

  const remark = (code: string, file: string, level: DataRemark["level"] = "problem") => {
    return { level, code, file: `root/${file}`, text: "it is wrong" };
  };
  const opened = (remarks: DataRemark[]) =>
    ({ root: "root", splits: { train: {}, val: {} }, remarks }) as unknown as OpenedData;

  it("leave out notes and what is of another split", async () => {
    const remarks = [
      remark("missing-sample", "splits/val.txt"),
      remark("missing-sample", "splits/training.txt"),
      remark("image-without-mask", "images/train/a.png"),
      remark("image-without-mask", "images/valid/b.png"),
      remark("image-without-mask", "images/c.png"),
      remark("seeded-split", "", "note"),
    ];
    const files = (await splitRemarks(opened(remarks), "val")).map(({ file }) => file);
    expect(files).toEqual(["root/splits/val.txt", "root/images/valid/b.png", "root/images/c.png"]);
  });

  it("are ten lines at most", () => {
    const many = Array.from({ length: 13 }, (_, i) => remark("image-without-mask", `images/${i}.png`));
    const lines = describeRemarks(many);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("problem: root/images/0.png: it is wrong");
    expect(lines[10]).toMatch(/^and 3 more/);
    expect(describeRemarks(many.slice(0, 10))).toHaveLength(10);
  });
});
