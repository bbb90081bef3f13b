import { join } from "node:path";
import { data } from "@fcn/core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { partProblem } from "../../../../packages/fcn/src/data/decode/parts.js";
import { type CocoInstance, cocoLabels } from "../../../../packages/fcn/src/data/shapes/coco.js";
import { paintRuns, unpackCounts } from "../../../../packages/fcn/src/data/shapes/rle.js";
import { assertProperty } from "../../../support/property.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

/** COCO's letters, written from the description: groups of 5 bits, lowest first. */
function packCounts(counts: readonly number[]): string {
  return counts
    .map((count, i) => {
      let rest = i > 2 ? count - (counts[i - 2] as number) : count;
      let text = "";
      for (let more = true; more; ) {
        const group = rest & 31;
        rest >>= 5;
        more = group & 16 ? rest !== -1 : rest !== 0;
        text += String.fromCharCode(group + (more ? 32 : 0) + 48);
      }
      return text;
    })
    .join("");
}

const runsOf = (mask: readonly number[], height: number, width: number): number[] => {
  const runs = [0];
  let last = 0;
  for (let i = 0; i < mask.length; i++) {
    const value = mask[(i % height) * width + Math.floor(i / height)] as number;
    if (value !== last) runs.push(0);
    runs[runs.length - 1]!++;
    last = value;
  }
  return runs;
};

const size = { height: 6, width: 8 };
const instance = (label: number, segmentation: CocoInstance["segmentation"], crowd = false): CocoInstance => ({
  label,
  segmentation,
  crowd,
});
const box = (left: number, top: number, right: number, bottom: number): number[] => [
  left,
  top,
  right,
  top,
  right,
  bottom,
  left,
  bottom,
];
const labelsOf = (instances: CocoInstance[], overlap: "smaller" | "void" = "smaller"): string[] => {
  const { labels, skipped } = cocoLabels({ kind: "coco", file: "a.json", ...size, instances, overlap });
  const problem = partProblem("a.json", skipped);
  if (problem) throw problem;
  return Array.from({ length: 6 }, (_, y) =>
    [...labels.subarray(8 * y, 8 * y + 8)].map((v) => (v === 255 ? "v" : v)).join(""),
  );
};

describe("COCO annotations", () => {
  it("unpack what is packed, and paint any mask exactly", async () => {
    const masks = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })).chain(([height, width]) =>
      fc.record({
        height: fc.constant(height),
        width: fc.constant(width),
        mask: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width }),
      }),
    );
    await assertProperty(masks, 60, async ({ height, width, mask }) => {
      const counts = runsOf(mask, height, width);
      const packed = packCounts(counts);
      expect(unpackCounts("f", packed)).toEqual(counts);
      for (const form of [counts, packed]) {
        const out = new Array<number>(height * width).fill(0);
        paintRuns("f", { size: [height, width], counts: form }, (row, from, to) =>
          out.fill(1, row * width + from, row * width + to),
        );
        expect(out).toEqual(mask);
      }
    });
  });

  it("unpack groups of five bits, the lowest first, and differences from the fourth on", () => {
    // 2; 3; 1; 40 - 3 = 37 = 5 + 32 x 1: "5" with the mark for more, then "1"; 0 - 1 = -1: all bits set.
    expect(unpackCounts("f", "231U1O")).toEqual([2, 3, 1, 40, 0]);
  });

  it.each([
    ["too short", { size: [2, 2], counts: [1, 2] }, "they cover 3 pixels, but the size is 2x2"],
    ["negative", { size: [2, 2], counts: [5, -1] }, "they cover 4 pixels"],
    ["of odd letters", { size: [2, 2], counts: "\u00ff" }, "is not packed as COCO does"],
    ["without an end", { size: [2, 2], counts: "oooooooooo" }, "is not packed as COCO does"],
  ])("refuse run lengths that are %s", (_, segmentation, problem) => {
    expect(() => labelsOf([instance(1, segmentation as never)])).toThrow(/^a\.json: /);
    expect(() => paintRuns("a.json", segmentation as never, () => {})).toThrow(problem);
  });

  it("lay the smaller instance on the larger one, whatever their order, or void where they overlap", () => {
    const large = instance(1, [box(0, 0, 6, 4)]);
    const small = instance(2, [box(2, 1, 4, 3), box(7, 5, 8, 6)]);
    const want = ["11111100", "11221100", "11221100", "11111100", "00000000", "00000002"];
    expect(labelsOf([large, small])).toEqual(want);
    expect(labelsOf([small, large])).toEqual(want);
    expect(labelsOf([small, large], "void")).toEqual(want.map((row) => row.replace("1221", "1vv1")));
  });

  it("take a later instance of the same size, and count overlapping polygons of one instance once", () => {
    expect(labelsOf([instance(1, [box(0, 0, 2, 1)]), instance(2, [box(1, 0, 3, 1)])])[0]).toBe("12200000");
    expect(labelsOf([instance(3, [box(0, 0, 3, 1), box(1, 0, 5, 1)])], "void")[0]).toBe("33333000");
  });

  it("make crowds void where no instance lies", () => {
    const counts = runsOf(
      Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : 0)),
      6,
      8,
    );
    expect(labelsOf([instance(1, { size: [6, 8], counts }, true), instance(2, [box(1, 0, 3, 1)])]).slice(0, 3)).toEqual(
      ["v22vvvvv", "vvvvvvvv", "00000000"],
    );
  });

  it("refuse polygons that are none", () => {
    expect(() => labelsOf([instance(1, [[0, 0, 1, 1]])])).toThrow(
      "a.json: annotation without id of an image: a polygon of 4 numbers is not a list",
    );
    expect(() => labelsOf([instance(1, { size: [2, 2], counts: [4] })])).toThrow(
      "run lengths for 2x2 in an image of 6x8",
    );
  });
});

let root: string;
beforeAll(async () => {
  root = await temporaryFolder("labelme");
});
const shape = (label: string, shape_type: string | undefined, points: number[][], more = {}) => ({
  label,
  points,
  ...(shape_type ? { shape_type } : {}),
  ...more,
});
async function labelmeOf(shapes: unknown[], more = {}): Promise<string[]> {
  const json = { imagePath: "a.jpg", imageData: "x".repeat(100), imageHeight: 6, imageWidth: 8, shapes, ...more };
  await writeTree(root, { "a.json": JSON.stringify(json), "a.jpg": await jpeg(6, 8, 1) });
  const names = [
    ["one", 1],
    ["two", 2],
    ["__ignore__", 255],
  ] as const;
  const labels = { kind: "labelme", file: join(root, "a.json"), names, lineWidth: 2 } as const;
  const sample = await data.loadItem({ name: "a", image: [{ file: join(root, "a.jpg"), as: "rgb" }], labels });
  return Array.from({ length: 6 }, (_, y) =>
    [...sample.labels.subarray(8 * y, 8 * y + 8)].map((v) => (v === 255 ? "v" : v)).join(""),
  );
}

describe("labelme files", () => {
  it("draw every kind of shape, later ones on top", async () => {
    const mask = Buffer.from(greyPng(2, 3, (x, y) => (x + y) % 2)).toString("base64");
    const shapes = [
      shape("one", undefined, [
        [0, 0],
        [8, 0],
        [8, 2],
        [0, 2],
      ]),
      shape("two", "rectangle", [
        [3, 3],
        [1, 1],
      ]),
      shape("__ignore__", "line", [
        [0.5, 4.5],
        [7.5, 4.5],
      ]),
      shape("two", "circle", [
        [7, 1],
        [7, 2],
      ]),
      shape(
        "one",
        "mask",
        [
          [5, 2],
          [7, 3],
        ],
        { mask },
      ),
      shape("one", "point", [[0.5, 2.5]]),
    ];
    expect(await labelmeOf(shapes)).toEqual(["11111122", "12211122", "11200010", "1vvvv1v1", "vvvvvvvv", "vvvvvvvv"]);
  });

  it.each([
    [
      "a name without a class",
      [
        shape("three", "polygon", [
          [0, 0],
          [1, 0],
          [1, 1],
        ]),
      ],
      {},
      'it has a shape named "three", but the classes are one, two, __ignore__',
    ],
    [
      "too few points",
      [
        shape("one", "polygon", [
          [0, 0],
          [1, 1],
        ]),
      ],
      {},
      'a polygon ("one") has 2 points, but needs at least 3',
    ],
    [
      "points that are no numbers",
      [
        shape("one", "polygon", [
          [0, 0],
          [1, null as never],
          [Number.NaN, 1],
        ]),
      ],
      {},
      'shape 0 ("one") has a point that is not a pair of numbers',
    ],
    ["an unknown shape", [shape("one", "spline", [[0, 0]])], {}, 'a shape of the unknown type "spline" ("one")'],
    [
      "a label that is no text",
      [shape(3 as never, "point", [[0, 0]])],
      {},
      "shape 0 has the label 3, which is not text",
    ],
    [
      "a mask without its image",
      [{ ...shape("one", "mask", [[0, 0]]), mask: null }],
      {},
      'shape 0 ("one") is a mask without its image',
    ],
    ["a size that is none", [], { imageHeight: 6.5 }, "it says that the image is 6.5x8"],
    ["another size than the image", [], { imageWidth: 9 }, "the labels are 6x9, but a.jpg is 6x8"],
  ])("with %s are refused in one line that names the file", async (_, shapes, more, problem) => {
    const failure = labelmeOf(shapes, more);
    await expect(failure).rejects.toThrow(problem);
    await expect(failure).rejects.toThrow(join(root, "a.json"));
  });
});
