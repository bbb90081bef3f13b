import { existsSync, readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import type { data } from "@fcn/core";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../../data/trees.js";

const root = await temporaryFolder("cli-data");

const check = (...args: string[]) => fcn(["data", "check", ...args]);

beforeAll(async () => {
  const files: Record<string, Uint8Array | string> = { "good/classes.json": '["ground","tree"]' };
  for (let i = 0; i < 4; i++) {
    files[`good/images/${i}.jpg`] = await jpeg(20, 30, i);
    files[`good/masks/${i}.png`] = greyPng(20, 30, (x) => (x < 10 ? 0 : 1));
    files[`bad/images/${i}.jpg`] = await jpeg(20, 30, i);
    files[`bad/masks/${i}.png`] = greyPng(20, i === 2 ? 31 : 30, (x) => (x < 10 ? 0 : 1));
  }
  await writeTree(root, files);
});

describe("fcn data check", () => {
  it("returns 0 for a sound folder, with its classes and their shares, and writes a contact sheet", async () => {
    const sheet = join(root, "sheet.png");
    const { code, stdout, stderr } = await check(join(root, "good"), "--contact-sheet", sheet);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("layout folder, 2 classes");
    expect(stdout).toMatch(/train: 3 images, 20x30 \(height x width\)\nval: 1 image, 20x30 \(height x width\)/);
    expect(stdout).toMatch(/1 tree +66\.67 +66\.67/);
    expect(stdout).toMatch(/note {5}.*divided at random by seed 0 into 3 to train and 1 to validate/);
    expect(stdout).toMatch(/wrote .*sheet\.png\n0 problems, 0 warnings/);
    expect((await sharp(sheet).metadata()).format).toBe("png");
  });

  it("returns 1 with each problem in a line, and two lines about the failure", async () => {
    const { code, stdout, stderr } = await check(join(root, "bad"));
    expect(code).toBe(1);
    expect(stdout).toContain(
      `problem  ${join(root, "bad", "masks", "2.png")}: the labels are 20x31, but 2.jpg is 20x30 (`,
    );
    expect(stderr).toBe(
      `error: data check: ${join(root, "bad")} has 1 problem\nfix: fix what the lines above report, then check again\n`,
    );
  });

  it("prints JSON that programs can read, in both cases", async () => {
    for (const [folder, ok] of [
      ["good", true],
      ["bad", false],
    ] as const) {
      const { code, stdout } = await check(join(root, folder), "--json");
      const report = JSON.parse(stdout) as data.DataReport;
      expect([code, report.ok, report.layout]).toEqual([ok ? 0 : 1, ok, "folder"]);
    }
  });

  it.each([
    [[], 2, "missing required argument 'dir'"],
    [["x", "--workers", "many"], 2, '--workers is "many"'],
    [["x", "--validation", "2"], 2, '--validation is "2"'],
    [["x", "--nyud-input", "depth"], 2, '--nyud-input is "depth"'],
    [["x", "--d2l", "big"], 2, '--d2l is "big"'],
    [["/nonexistent"], 1, "/nonexistent: it does not exist"],
  ])("returns %j with %i", async (args, code, problem) => {
    const answer = await check(...args);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(`error: ${problem}`);
    expect(answer.stderr.trimEnd().split("\n")).toHaveLength(2);
  });

  it("reaches what published sets leave open: the year, d2l's variant, the input of NYUDv2", async () => {
    const image = await jpeg(20, 30, 1);
    const mask = greyPng(20, 30, (x) => (x < 10 ? 0 : 255));
    for (const [year, name] of [
      [2010, "old"],
      [2012, "new"],
    ] as const) {
      await writeTree(join(root, "devkit", `VOC${year}`), {
        [`JPEGImages/${name}.jpg`]: image,
        [`SegmentationClass/${name}.png`]: mask,
        "ImageSets/Segmentation/train.txt": name,
        "ImageSets/Segmentation/val.txt": "\n",
      });
    }
    const report = async (...args: string[]): Promise<data.DataReport> =>
      JSON.parse((await check(join(root, "devkit"), "--json", ...args)).stdout) as data.DataReport;
    expect((await report()).root).toMatch(/VOC2012$/);
    const old = await report("--year", "2010");
    expect(old.root).toMatch(/VOC2010$/);
    expect(old.splits.train?.voidShare).toBeCloseTo(2 / 3, 5);
    expect((await report("--d2l", "20x30")).splits.train).toMatchObject({ samples: 1, voidShare: 0 });
    expect((await report("--d2l", "21x30")).splits.train?.samples).toBe(0);
    const scored = await fcn(["eval", "--data", join(root, "devkit"), "--weights", "none", "--year", "2011"]);
    expect([scored.code, scored.stderr.split("\n")[0]]).toEqual([
      1,
      `error: ${join(root, "devkit")}: it holds no VOC2011`,
    ]);
    await writeTree(join(root, "nyud"), {
      "train.txt": "1",
      "test.txt": "1",
      "data/images/img_1.png": "",
      "segmentation/img_1.mat": "",
    });
    const { stdout } = await check(join(root, "nyud"), "--nyud-input", "hha");
    expect(stdout).toContain(`${join(root, "nyud", "data", "hha", "img_1.png")}: it does not exist`);
  });

  it("writes no contact sheet over or among the files of the data", async () => {
    const folder = join(root, "good");
    const mask = join(folder, "masks", "2.png");
    const kept = readFileSync(mask);
    const classes = join(folder, "classes.json");
    await symlink(join(folder, "masks"), join(root, "linked"));
    for (const file of [mask, join(root, "linked", "2.png"), join(folder, "images", "new.png"), classes]) {
      const { code, stderr } = await check(folder, "--contact-sheet", file);
      expect([code, stderr.split("\n")[0]]).toEqual([
        1,
        expect.stringContaining(`error: data check: the contact sheet cannot be ${file}: `),
      ]);
    }
    expect(readFileSync(mask)).toEqual(kept);
    expect(readFileSync(classes, "utf8")).toBe('["ground","tree"]');
    expect(existsSync(join(folder, "images", "new.png"))).toBe(false);
    const sheet = join(folder, "sheet.png");
    for (let run = 0; run < 2; run++) expect((await check(folder, "--contact-sheet", sheet)).code).toBe(0);
  });

  it("asks for the classes of grey levels, with the list to save, and leaves absent classes out of the table", async () => {
    const files: Record<string, Uint8Array | string> = {};
    for (let i = 0; i < 4; i++) {
      files[`levels/images/${i}.jpg`] = await jpeg(20, 30, i);
      files[`levels/masks/${i}.png`] = greyPng(20, 30, (x) => [0, 50, 90, 150][x >> 3] as number);
    }
    await writeTree(root, files);
    const { code, stderr } = await check(join(root, "levels"));
    expect(code).toBe(1);
    const list = /\[\{"name".*\}\]/.exec(stderr)?.[0] ?? "";
    await writeTree(root, { "levels/classes.json": list });
    const mended = await check(join(root, "levels"));
    expect([mended.code, mended.stdout.match(/^\d+ class \d+/gm)]).toEqual([
      0,
      ["0 class 0", "1 class 1", "2 class 2", "3 class 3"],
    ]);
    const names = Array.from({ length: 151 }, (_, i) => `class ${i}`);
    await writeTree(root, { "levels/classes.json": JSON.stringify(names) });
    const { stdout } = await check(join(root, "levels"));
    expect(stdout).toContain("147 classes without a pixel are left out of the table");
    expect(stdout.match(/^\d+ class \d+/gm)).toEqual(["0 class 0", "50 class 50", "90 class 90", "150 class 150"]);
  });

  it("says when the contact sheet cannot be written", async () => {
    const file = join(root, "no", "such", "folder.png");
    const { code, stderr } = await check(join(root, "good"), "--contact-sheet", file);
    expect(code).toBe(1);
    expect(stderr).toContain(`error: data check: cannot write ${file}`);
    expect(existsSync(file)).toBe(false);
  });
});
