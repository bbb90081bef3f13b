import { join } from "node:path";
import { data } from "@fcn/core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inspectItem } from "../../../../packages/fcn/src/data/workers/inspect.js";
import {
  boxOf,
  cocoJson,
  firstRows,
  labelmeJson,
  openWhole,
  toldOf,
  writeAnnotated,
} from "../annotations/annotated.js";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../trees.js";

let base: string;
let root: string;
let count = 0;
beforeAll(async () => {
  base = await temporaryFolder("parts");
});
beforeEach(() => {
  root = join(base, String(count++));
});

const itemOf = ({ splits }: data.OpenedData, index = 0): data.SampleItem =>
  splits.train?.item?.(index) as data.SampleItem;
const rowOf = ({ labels, image }: data.SegmentationSample, row = 0): string =>
  [...labels.subarray(row * image.width, (row + 1) * image.width)].join("");
const inspect = async (item: data.SampleItem): Promise<string[]> =>
  (await inspectItem({ item, numClasses: 2 })).remarks.map(({ level, code, text }) => `${level} ${code} ${text}`);

describe("a part of a COCO file that cannot be drawn", () => {
  const open = async (segmentations: readonly unknown[]): Promise<data.SampleItem> => {
    const annotations = segmentations.map((segmentation, i) => ({ id: i, image_id: 1, category_id: 1, segmentation }));
    await writeAnnotated(root, ["1.jpg"], { "all.json": cocoJson(["1.jpg"], { annotations }) });
    return itemOf(await openWhole(root));
  };
  const sound = boxOf(0, 0, 2, 6);

  it.each([
    ["two points", [0, 0, 1, 1]],
    ["one point", [0, 0]],
    ["no number", []],
    ["five numbers", [0, 0, 1, 1, 2]],
  ])("is left out with a warning where it is a piece of %s beside sound ones", async (_, piece) => {
    const item = await open([[piece, sound]]);
    expect(rowOf(await data.loadItem(item))).toBe("11000000");
    expect(await inspect(item)).toEqual([
      `warning empty-shape annotation 0 of 1.jpg: a polygon of ${piece.length} numbers is not a list x, y, x, y, ... of 3 points or more (correct or remove the shape)`,
    ]);
  });

  it.each<[string, unknown, string]>([
    ["only of a piece of two points", [[0, 0, 1, 1]], "a polygon of 4 numbers is not a list"],
    ["with an odd piece", [sound, [0, 0, 1, 1, 2, 2, 3]], "a polygon of 7 numbers is not a list"],
    [
      "with a piece that holds no number",
      [sound, [0, 0, 1, null, 2, 2]],
      "a polygon holds null, which is not a number",
    ],
    ["with a word in a piece", [sound, "x"], "its segmentation is neither polygons nor run lengths"],
    ["of text", "x", "its segmentation is neither polygons nor run lengths"],
    [
      "of run lengths that do not fill their size",
      { size: [6, 8], counts: [1, 2] },
      "they cover 3 pixels, but the size is 6x8",
    ],
    ["of run lengths for another size", { size: [8, 6], counts: [0, 48] }, "run lengths for 8x6 in an image of 6x8"],
    [
      "of run lengths without a size",
      { size: [6], counts: [0, 48] },
      "the size of its run lengths is [6], not [height, width]",
    ],
    [
      "of run lengths that are no numbers",
      { size: [6, 8], counts: [0, "x"] },
      "its run lengths are neither whole numbers nor text",
    ],
    ["of damaged letters", { size: [6, 8], counts: "\u00ff" }, "is not packed as COCO does"],
  ])(
    "is a problem where it is an annotation %s, which loading throws unless told otherwise",
    async (_, segmentation, problem) => {
      const item = await open([[boxOf(6, 0, 8, 6)], segmentation]);
      await expect(data.loadItem(item)).rejects.toMatchObject({
        code: "bad-shape",
        message: expect.stringContaining(problem),
      });
      const row = rowOf(await data.loadItem({ ...item, skipBad: true }));
      expect(["00000011", "11000011"]).toContain(row);
      for (const skipBad of [false, true]) {
        const told = await inspect({ ...item, skipBad });
        expect(told).toEqual([expect.stringMatching(/^problem bad-shape annotation 1 of 1.jpg: /)]);
        expect(told[0]).toContain(problem);
      }
    },
  );

  it("is told of a shape that covers no pixel, such as one in parts of the image", async () => {
    const item = await open([[boxOf(0.1, 0.1, 0.3, 0.3)], [boxOf(20, 20, 30, 30)], [sound]]);
    expect(rowOf(await data.loadItem(item))).toBe("11000000");
    expect(await inspect(item)).toEqual([
      expect.stringMatching(/^warning empty-shape annotation 0 of 1.jpg covers no pixel: it lies outside/),
      expect.stringMatching(/^warning empty-shape annotation 1 of 1.jpg covers no pixel/),
    ]);
  });

  it("may be of another form that is clear: one polygon without its list, and pieces of run lengths", async () => {
    const runs = { size: [6, 8], counts: [36, 12] };
    expect(rowOf(await data.loadItem(await open([sound, [boxOf(3, 0, 4, 6), runs]])))).toBe("11010011");
  });

  it("is no part at all where there is no number in it", async () => {
    for (const segmentation of [null, [], [[]]]) {
      await writeAnnotated(root, ["1.jpg"], {
        "all.json": cocoJson(["1.jpg"], { annotations: [{ id: 1, image_id: 1, category_id: 1, segmentation }] }),
      });
      expect(toldOf(root, await openWhole(root))[0]).toMatch(/^warning box-without-mask/);
    }
  });

  it("leaves the other files usable where it is a whole file", async () => {
    await writeAnnotated(root, ["1.jpg"], {
      "a.json": cocoJson(["1.jpg"]),
      "b.json": '{"images": [], "annotations": []}',
    });
    const opened = await openWhole(root);
    expect(await firstRows(root, opened)).toEqual({ "1.jpg": "10000000" });
    expect(toldOf(root, opened)[0]).toMatch(
      /^problem corrupt-file b.json: it is not a COCO file: it has no list "categories"/,
    );
  });
});

describe("a shape of a labelme file", () => {
  const open = async (...shapes: readonly object[]): Promise<data.SampleItem> => {
    await writeAnnotated(root, ["a.jpg"], { "a.json": labelmeJson("a.jpg", "", { shapes: [sound, ...shapes] }) });
    return itemOf(await openWhole(root));
  };
  const sound = {
    label: "dog",
    shape_type: "rectangle",
    points: [
      [0, 0],
      [1, 6],
    ],
  };
  const corners = [
    [2, 0],
    [4, 0],
    [4, 6],
    [2, 6],
  ];
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const maskOf = (points: unknown, bytes: Uint8Array): object => {
    return { label: "dog", shape_type: "mask", points, mask: base64(bytes) };
  };

  it.each([
    "rotation",
    "rotatedrect",
    "oriented_rectangle",
    "quadrilateral",
    "Rotated_Rectangle",
    "rectangle",
    "Polygon",
  ])("of the type %s with four corners is a polygon", async (shape_type) => {
    const item = await open({ label: "dog", shape_type, points: corners });
    expect(rowOf(await data.loadItem(item))).toBe("10110000");
    expect(await inspect(item)).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      "unknown type",
      { label: "dog", shape_type: "spline", points: corners },
      'shape 1: a shape of the unknown type "spline" ("dog")',
    ],
    ["a cuboid", { label: "dog", shape_type: "cuboid", points: [...corners, ...corners] }, 'the unknown type "cuboid"'],
    [
      "a rotation of three corners",
      { label: "dog", shape_type: "rotation", points: corners.slice(1) },
      "with 3 points instead of 4",
    ],
    [
      "too few points",
      { label: "dog", shape_type: "polygon", points: corners.slice(2) },
      'shape 1: a polygon ("dog") has 2 points',
    ],
    [
      "a circle of one point",
      { label: "dog", shape_type: "circle", points: [[1, 1]] },
      'a circle ("dog") has 1 points, but needs 2',
    ],
    ["no point", { label: "dog", shape_type: "point", points: [] }, 'a point ("dog") has 0 points'],
    [
      "a rectangle of three points",
      { label: "dog", shape_type: "rectangle", points: corners.slice(1) },
      'a rectangle ("dog") has 3 points, but needs 2 or 4',
    ],
    ["no points", { label: "dog", shape_type: "polygon" }, 'shape 1 ("dog") has no points'],
    [
      "a point that is none",
      {
        label: "dog",
        points: [
          [0, 0],
          [1, null],
          [1, 1],
        ],
      },
      "a point that is not a pair of numbers: [1,null]",
    ],
    [
      "a type that is no text",
      { label: "dog", shape_type: 3, points: corners },
      'shape 1 ("dog") has the type 3, which is not text',
    ],
    [
      "a label that is a number",
      { label: 3, shape_type: "polygon", points: corners },
      "shape 1 has the label 3, which is not text",
    ],
    ["no label", { label: null, shape_type: "polygon", points: corners }, "shape 1 has no label"],
    ["no shape", 7 as never, "shape 1 is 7, which is not a shape"],
    [
      "a broken base64 mask",
      {
        ...maskOf(
          [
            [0, 0],
            [1, 1],
          ],
          new Uint8Array(),
        ),
        mask: "*",
      },
      'shape 1 ("dog"): its mask is cut off or not base64',
    ],
    [
      "a mask that is no PNG",
      maskOf(
        [
          [0, 0],
          [1, 1],
        ],
        new Uint8Array(30),
      ),
      "a mask must be PNG",
    ],
    [
      "a mask without its image",
      {
        ...maskOf(
          [
            [0, 0],
            [1, 1],
          ],
          new Uint8Array(),
        ),
        mask: null,
      },
      "is a mask without its image",
    ],
    [
      "a mask whose points are swapped",
      maskOf(
        [
          [3, 3],
          [1, 1],
        ],
        greyPng(3, 3, () => 1),
      ),
      "first point (3, 3) lies to the right of or below",
    ],
  ])("with %s is left out and named", async (_, shape, problem) => {
    const item = await open(shape);
    await expect(data.loadItem(item)).rejects.toMatchObject({ message: expect.stringContaining(problem) });
    await expect(data.loadItem(item)).rejects.toThrow(join(root, "a.json"));
    expect(rowOf(await data.loadItem({ ...item, skipBad: true }))).toBe("10000000");
    expect(await inspect(item)).toEqual([expect.stringContaining(problem)]);
    expect((await inspect(item))[0]).toMatch(/^problem bad-shape /);
    expect((await data.check(root)).remarks.filter(({ code }) => code === "bad-shape")).toMatchObject([
      { level: "problem", file: join(root, "a.json") },
    ]);
  });

  it("of an unknown name is left out and named, once for all shapes of the name", async () => {
    const stranger = { label: "cat", shape_type: "polygon", points: corners };
    await writeTree(root, { "classes.json": '["dog"]' });
    const item = await open(stranger, stranger);
    await expect(data.loadItem(item)).rejects.toMatchObject({ code: "unknown-label" });
    expect(rowOf(await data.loadItem({ ...item, skipBad: true }))).toBe("10000000");
    expect(await inspect(item)).toEqual([
      expect.stringMatching(
        /^problem unknown-label it has a shape named "cat", but the classes are .*dog.* \(shape 1, 2\)/,
      ),
    ]);
  });

  it("that covers no pixel is warned of", async () => {
    const item = await open({
      label: "dog",
      shape_type: "rectangle",
      points: [
        [9, 9],
        [12, 12],
      ],
    });
    expect(rowOf(await data.loadItem(item))).toBe("10000000");
    expect(await inspect(item)).toEqual([
      expect.stringMatching(/^warning empty-shape shape 1 \("dog"\) covers no pixel/),
    ]);
  });

  // labelme 6, shapes_to_label: np.asarray(points).round().astype(int), halves to the even number.
  it.each([
    [[2.5, 0], "1010"],
    [[3.5, 0.5], "1000"],
    [[3.4, 0], "1001"],
    [[1.5, -0.5], "1010"],
  ])("that is a mask from %j on lies where labelme lays it", async (origin, row) => {
    const end = origin.map((value) => value + 0.75);
    const item = await open(
      maskOf(
        [origin, end],
        greyPng(1, 1, () => 1),
      ),
    );
    expect(rowOf(await data.loadItem(item)).slice(0, 4)).toBe(row);
    expect(await inspect(item)).toEqual([]);
  });

  it("that is a mask is cut at its box of whole numbers, as labelme does, and that is told", async () => {
    const item = await open(
      maskOf(
        [
          [2, 0],
          [3, 5],
        ],
        greyPng(6, 4, () => 1),
      ),
    );
    expect(rowOf(await data.loadItem(item))).toBe("10110000");
    expect(await inspect(item)).toEqual([
      expect.stringMatching(/^warning mask-size shape 1 \("dog"\) is a mask of 6x4 whose points say 6x2/),
    ]);
  });

  it("that is a mask in colours counts where any of them is not 0", async () => {
    const item = await open(
      maskOf(
        [
          [2, 0],
          [4, 5],
        ],
        rgbPng(6, 3, (x) => [0, 0x00ff00, 0x0000ff][x] as number),
      ),
    );
    expect(rowOf(await data.loadItem(item))).toBe("10011000");
  });
});
