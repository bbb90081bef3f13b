import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compareIds, idFinder } from "../../../../packages/fcn/src/data/annotations/cocoIds.js";
import { numberOf, roundHalfEven, statedSize } from "../../../../packages/fcn/src/data/files/numbers.js";
import { decodeMatLabels } from "../../../../packages/fcn/src/data/mat/labels.js";
import { encodeMat } from "../mat/matEncoder.js";
import { temporaryFolder } from "../trees.js";
import { boxOf, cocoJson, firstRows, labelmeJson, openWhole, toldOf, writeAnnotated } from "./annotated.js";

let base: string;
let root: string;
let count = 0;
beforeAll(async () => {
  base = await temporaryFolder("coercion");
});
beforeEach(() => {
  root = join(base, String(count++));
});

describe("values of files", () => {
  it.each([
    [375, 375],
    ["375", 375],
    [" -1.5e2 ", -150],
    [".5", 0.5],
    ["0x10", undefined],
    ["", undefined],
    ["1,5", undefined],
    ["Infinity", undefined],
    [Number.NaN, undefined],
    [null, undefined],
    [true, undefined],
    [[1], undefined],
  ])("%j is the number %j", (value, number) => {
    expect(numberOf(value)).toBe(number);
  });

  it("are rounded as NumPy rounds", () => {
    // np.round([10.5, 11.5, -0.5, -1.5, 2.4, 2.6, 3])
    expect([10.5, 11.5, -0.5, -1.5, 2.4, 2.6, 3].map(roundHalfEven)).toEqual([10, 12, 0, -2, 2, 3, 3]);
  });

  it("give a size, a part of it, or none", () => {
    expect(statedSize("375", 500, 1e6)).toEqual({ height: 375, width: 500 });
    expect(statedSize(null, 500, 1e6)).toEqual({ width: 500 });
    expect(statedSize(0, 0, 1e6)).toEqual({});
    for (const [height, width] of [
      [37.5, 8],
      [-1, 8],
      ["6px", 8],
      [true, 8],
      [1e6, 1e6],
    ] as const) {
      expect(statedSize(height, width, 1e6)).toBeUndefined();
    }
  });
});

describe("ids", () => {
  it("are found as they are, or by their digits where one type alone has them", () => {
    const find = idFinder([1, "1", 2, "3", "a"].map((id) => ({ id })));
    const found = [1, "1", 2, "2", 3, "3", "a", "b"].map((id) => find(id)?.id);
    expect(found).toEqual([1, "1", 2, 2, "3", "3", "a", undefined]);
    expect(["b", "10", 9, "a", "2"].sort(compareIds)).toEqual(["2", 9, "10", "a", "b"]);
  });

  type Ids = { image: unknown; imageId: unknown; category?: unknown; categoryId?: unknown };
  const withIds = ({ image, imageId, category = 1, categoryId = 1 }: Ids): string =>
    cocoJson([], {
      categories: [{ id: category, name: "thing" }],
      images: [
        { id: image, file_name: "1.jpg", height: 6, width: 8 },
        { id: 77, file_name: "2.jpg", height: 6, width: 8 },
      ],
      annotations: [{ id: 5, image_id: imageId, category_id: categoryId, segmentation: [boxOf(0, 0, 3, 6)] }],
    });
  const open = async (ids: Ids) => {
    await writeAnnotated(root, ["1.jpg", "2.jpg"], { "all.json": withIds(ids) });
    const opened = await openWhole(root);
    return { rows: await firstRows(root, opened), told: toldOf(root, opened) };
  };
  const painted = { "1.jpg": "11100000", "2.jpg": "00000000" };

  it.each([
    [{ image: "1", imageId: "1" }],
    [{ image: "a-7", imageId: "a-7" }],
    [{ image: 0, imageId: 0 }],
    [{ image: -3, imageId: -3 }],
    [{ image: 1, imageId: 1, category: "cat-1", categoryId: "cat-1" }],
  ])("of one type match: %j", async (ids) => {
    expect(await open(ids)).toEqual({ rows: painted, told: [] });
  });

  it.each([
    [{ image: "1", imageId: 1 }, "image_id as a number, such as 1, where the ids of the file are text"],
    [{ image: 1, imageId: "1" }, 'image_id as text, such as "1", where the ids of the file are numbers'],
    [{ image: 1, imageId: 1, category: "2", categoryId: 2 }, "category_id as a number"],
  ])("of two types match by their digits, and that is told: %j", async (ids, text) => {
    const { rows, told } = await open(ids);
    expect(rows).toEqual(painted);
    expect(told).toEqual([expect.stringMatching(/^warning id-types all.json: 1 annotation has the /)]);
    expect(told[0]).toContain(text);
  });

  it.each([null, true, 1.5, {}, [1], undefined, ""])("that are none are named: %j", async (bad) => {
    const shown = bad === undefined ? "nothing" : JSON.stringify(bad);
    const ofAnnotation = await open({ image: 0, imageId: bad });
    expect(ofAnnotation.rows).toEqual({ "1.jpg": "00000000", "2.jpg": "00000000" });
    expect(ofAnnotation.told[0]).toContain(
      `problem bad-entry all.json: entry 0 of its annotations has no image_id that is a whole number or a text (${shown})`,
    );
    const ofCategory = await open({ image: 0, imageId: 0, categoryId: bad === undefined ? null : bad });
    expect(ofCategory.told[0]).toContain("has no category_id that is a whole number or a text");
    const ofImage = await open({ image: bad, imageId: 0 });
    expect(Object.keys(ofImage.rows)).toEqual(["2.jpg"]);
    expect(ofImage.told.join("\n")).toContain(
      `entry 0 of its images has no id that is a whole number or a text ("1.jpg": ${shown})`,
    );
    if (bad !== undefined)
      await expect(open({ image: 0, imageId: 0, category: bad })).rejects.toThrow(`has the id ${shown}`);
  });

  it("that fit no image at all are a problem, and those beyond 2^53 a warning", async () => {
    const { told } = await open({ image: 1, imageId: 2 });
    expect(told[0]).toMatch(
      /^problem unknown-image all.json: 1 annotation has an image_id that its images do not list \(2\)/,
    );
    const large = await open({ image: 2 ** 60, imageId: 2 ** 60 });
    expect(large.rows).toEqual(painted);
    expect(large.told[0]).toMatch(/^warning large-ids all.json: /);
  });
});

describe("yes, no and numbers of COCO and labelme files", () => {
  it.each([
    [1, "v"],
    [true, "v"],
    ["1", "v"],
    ["true", "v"],
    [0, "1"],
    [false, "1"],
    ["0", "1"],
    [null, "1"],
  ])("iscrowd %j paints %s", async (iscrowd, letter) => {
    const annotations = [{ image_id: 1, category_id: 1, iscrowd, segmentation: [boxOf(0, 0, 2, 6)] }];
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["1.jpg"], { annotations }) });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "1.jpg": `${letter}${letter}000000` });
  });

  it.each([
    ["perhaps", '"perhaps"'],
    [{ toString: 1 }, '{"toString":1}'],
    [[1], "[1]"],
  ])("iscrowd of another kind, %j, is named", async (iscrowd, shown) => {
    const annotations = [{ image_id: 1, category_id: 1, iscrowd, segmentation: [boxOf(0, 0, 2, 6)] }];
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["1.jpg"], { annotations }) });
    expect(toldOf(root, await openWhole(root))[0]).toContain(`has an iscrowd that is neither 0 nor 1 (${shown})`);
  });

  it("a segmentation of lists without an end is named", async () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const annotations = [{ image_id: 1, category_id: 1, segmentation: "DEEP" }];
    const file = cocoJson(["1.jpg"], { annotations }).replace('"DEEP"', deep);
    await writeAnnotated(root, ["1.jpg"], { "all.json": file });
    const told = toldOf(root, await data.check(root, { validation: 0 }));
    expect(told).toContainEqual(
      expect.stringMatching(/^problem bad-shape all\.json: annotation without id of 1\.jpg: /),
    );
  });

  it("sizes and points as text are read", async () => {
    const size = { height: "6", width: "8.0" };
    const images = [{ id: 1, file_name: "1.jpg", ...size }];
    const counts = ["36", "12"];
    const annotations = [
      { image_id: 1, category_id: 1, segmentation: [boxOf(0, 0, 2, 6).map(String)] },
      { image_id: 1, category_id: 1, segmentation: { size: ["6", "8"], counts } },
    ];
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson([], { images, annotations }) });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "1.jpg": "11000011" });
  });

  it("of labelme files too", async () => {
    const points = [
      ["0", "0"],
      ["4", 6],
    ];
    const more = { shapes: [{ label: "dog", points, shape_type: "rectangle" }], imageHeight: "6", imageWidth: "8" };
    await writeAnnotated(root, ["a.jpg"], { "a.json": labelmeJson("a.jpg", "dog", more) });
    expect(await firstRows(root, await openWhole(root))).toEqual({ "a.jpg": "11110000" });
  });
});

describe("labels in MAT-files", () => {
  const rule = {
    by: "value",
    labels: [
      [0, 0],
      [1, 1],
    ],
  } as const;
  it.each([1.5, Number.NaN, 2 ** 40])("that hold %d are refused", async (value) => {
    const bytes = encodeMat({
      S: {
        rows: [
          [0, 1],
          [value, 0],
        ],
        type: "double",
      },
    });
    await expect(decodeMatLabels("a.mat", bytes, ["S"], rule)).rejects.toThrow(
      `a.mat: its label matrix S holds ${value} (column 0, row 1), which is not a whole number`,
    );
  });
});
