import { join } from "node:path";
import type { data } from "@fcn/core";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn } from "../../../support/deviceCommandLine.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../../data/trees.js";

const root = await temporaryFolder("cli-open-flags");
const [coco, labelme] = [join(root, "coco"), join(root, "labelme")];

const check = async (folder: string, ...args: string[]): Promise<data.DataReport> =>
  JSON.parse((await fcn(["data", "check", folder, "--json", ...args])).stdout) as data.DataReport;

const SIDE = 16;

/** In each image a dog on the left half and a cat on the middle one: they share a quarter. */
const cocoFile = JSON.stringify({
  categories: [
    { id: 1, name: "cat" },
    { id: 2, name: "dog" },
    { id: 3, name: "cow" },
  ],
  images: [0, 1].map((id) => ({ id, file_name: `${id}.jpg`, height: SIDE, width: SIDE })),
  annotations: [0, 1].flatMap((image_id) => [
    { image_id, category_id: 2, iscrowd: 0, segmentation: [[0, 0, 8, 0, 8, SIDE, 0, SIDE]] },
    { image_id, category_id: 1, iscrowd: 0, segmentation: [[4, 0, 12, 0, 12, SIDE, 4, SIDE]] },
  ]),
});

const line = (name: string): string =>
  JSON.stringify({
    imagePath: `${name}.jpg`,
    imageHeight: SIDE,
    imageWidth: SIDE,
    shapes: [
      {
        label: "wire",
        shape_type: "line",
        points: [
          [8, -20],
          [8, 40],
        ],
      },
    ],
  });

beforeAll(async () => {
  const files: Record<string, Uint8Array | string> = { "coco/all.json": cocoFile };
  for (const i of [0, 1]) {
    const image = await jpeg(SIDE, SIDE, i);
    files[`coco/${i}.jpg`] = image;
    files[`labelme/${i}.jpg`] = image;
    files[`labelme/${i}.json`] = line(`${i}`);
    files[`masks/images/${i}.jpg`] = image;
    files[`masks/masks/${i}.png`] = greyPng(SIDE, SIDE, (x) => (x < 8 ? 0 : 1));
  }
  await writeTree(root, files);
});

const pixels = SIDE * SIDE;

describe("the flags of single layouts", () => {
  it("choose and order the categories of COCO", async () => {
    expect((await check(coco)).classes).toEqual(["background", "cat", "dog", "cow"]);
    const { classes, splits } = await check(coco, "--categories", "dog, cat");
    expect(classes).toEqual(["background", "dog", "cat"]);
    expect(splits.train?.histogram).toEqual([pixels / 4, pixels / 4, pixels / 2]);
    const { code, stderr } = await fcn(["data", "check", coco, "--categories", "dog,horse"]);
    expect([code, stderr]).toEqual([
      1,
      `error: ${coco}: no category is named "horse"\nfix: choose from cat, dog, cow\n`,
    ]);
  });

  it("say who gets the pixels of several instances of COCO", async () => {
    const { splits: whole } = await check(coco, "--coco-overlap", "smaller");
    expect(whole.train).toMatchObject({ voidShare: 0, histogram: [pixels / 4, pixels / 2, pixels / 4, 0] });
    const { splits } = await check(coco, "--coco-overlap", "void");
    expect(splits.train?.voidShare).toBe(0.25);
    expect(splits.train?.histogram).toEqual([pixels / 4, pixels / 4, pixels / 4, 0]);
  });

  it("say how wide the lines of labelme are", async () => {
    const wire = async (...args: string[]) => (await check(labelme, ...args)).splits.train?.histogram[1];
    expect([await wire(), await wire("--line-width", "4")]).toEqual([10 * SIDE, 4 * SIDE]);
  });

  /** The same flags are in three commands. */
  const commands = {
    check: (folder: string) => ["data", "check", folder],
    train: (folder: string) => ["train", "--data", folder, "--model", "fcn32s-small", "--out", join(root, "none")],
    eval: (folder: string) => ["eval", "--data", folder, "--weights", "none"],
  };

  it.each([
    ["check", ["--categories", "dog,"], '--categories is "dog,"', "names with commas between them, such as person,dog"],
    ["train", ["--coco-overlap", "larger"], '--coco-overlap is "larger"', "one of: smaller, void"],
    ["eval", ["--line-width", "0"], '--line-width is "0"', "a number of pixels above 0, such as 10"],
  ] as const)("are refused by %s with values that cannot be: %j", async (command, flags, problem, fix) => {
    const { code, stderr } = await fcn([...commands[command](coco), ...flags]);
    expect(stderr).toBe(`error: ${problem}\nfix: use ${fix}\n`);
    expect(code).toBe(2);
  });

  it.each([
    ["eval", "masks", ["--categories", "dog"], "folder, but categories (--categories)", "coco"],
    ["train", "labelme", ["--coco-overlap", "void"], "labelme, but overlap (--coco-overlap)", "coco"],
    ["check", "coco", ["--line-width", "3"], "coco, but lineWidth (--line-width)", "labelme"],
    ["check", "masks", ["--year", "2012"], "folder, but year (--year)", "voc"],
  ] as const)("are refused by %s for the folder %s: %j", async (command, name, flags, problem, owner) => {
    const folder = join(root, name);
    const { code, stderr } = await fcn([...commands[command](folder), ...flags]);
    expect(stderr).toBe(
      `error: ${folder}: its layout is ${problem} is an option of the layout ${owner}\nfix: leave the option out, or name a folder of that layout\n`,
    );
    expect(code).toBe(1);
  });

  it("are those of a run, which goes on with the same only, and of its measurement", async () => {
    const flags = ["--categories", "dog,cat", "--coco-overlap", "void"];
    const small = ["--model", "fcn32s-small", "--width", "0.25", "--steps", "1", "--batch", "1", "--workers", "0"];
    const run = ["train", "--data", coco, "--out", join(root, "run"), ...small, "--freeze-batch-norm", "--json"];
    const trained = await fcn([...run, ...flags]);
    expect(trained.stderr).not.toContain("error:");
    const { classes, configuration } = JSON.parse(trained.stdout);
    expect(classes).toEqual(["background", "dog", "cat"]);
    expect(configuration).toMatchObject({ overlap: "void" });
    const other = await fcn([...run, "--resume", ...flags.slice(0, 2)]);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/is of another run: overlap was "void" and is none\nfix: resume with the options/);
    const measured = async (...more: string[]): Promise<number> => {
      const weights = join(root, "run", "weights.safetensors");
      const args = ["eval", "--data", coco, "--weights", weights, "--json", ...flags.slice(0, 2), ...more];
      const { stdout } = await fcn(args);
      const confusion = JSON.parse(stdout).confusion as number[] | number[][];
      return confusion.flat().reduce((sum, count) => sum + count, 0);
    };
    expect([await measured(), await measured("--coco-overlap", "void")]).toEqual([pixels, (3 * pixels) / 4]);
  });
});
