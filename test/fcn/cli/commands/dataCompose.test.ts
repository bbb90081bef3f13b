import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { data } from "@fcn/core";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";
import { disc, rgba } from "../../data/composite/drawn.js";
import { jpeg, temporaryFolder } from "../../data/trees.js";

const root = await temporaryFolder("cli-compose");

const compose = (...args: string[]) => fcn(["data", "compose", ...args]);

beforeAll(async () => {
  for (const name of ["cats", "dogs", "photos"]) await mkdir(join(root, name));
  for (let i = 0; i < 3; i++) {
    for (const name of ["cats", "dogs"]) {
      const image = rgba(40, 40, [200, 60 * i, 90], disc(40, 2));
      const raw = { width: 40, height: 40, channels: 4 } as const;
      await sharp(image.data, { raw })
        .png()
        .toFile(join(root, name, `${i}.png`));
    }
    await writeFile(join(root, "photos", `${i}.jpg`), await jpeg(60, 80, i));
  }
});

const cutouts = ["--cutouts", `cat=${join(root, "cats")}`, "--cutouts", `dog=${join(root, "dogs")}`];
const backgrounds = ["--backgrounds", join(root, "photos")];
const small = ["--samples", "5", "--validation", "2", "--size", "48", "--void-border", "1"];

describe("fcn data compose", () => {
  it("makes a folder that is sound, the same for a seed", async () => {
    const [first, again, other] = ["first", "again", "other"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    const { code, stdout, stderr } = await compose(...cutouts, ...backgrounds, ...small, "--out", first);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("cat 2/1, dog 2/1; photographs 2/1");
    const opened = await data.open(first);
    expect(opened.classes).toEqual(["background", "cat", "dog"]);
    const { ok, splits } = await data.check(opened);
    expect([ok, splits.train?.samples, splits.val?.samples]).toEqual([true, 5, 2]);
    expect(splits.train?.largest).toEqual([48, 48]);
    expect(splits.train?.voidShare).toBeGreaterThan(0);

    const bytes = async (folder: string): Promise<Buffer[]> =>
      Promise.all((await readdir(join(folder, "images"))).map((name) => readFile(join(folder, "images", name))));
    await compose(...cutouts, ...backgrounds, ...small, "--out", again);
    expect(await bytes(again)).toEqual(await bytes(first));
    const photos = ["--backgrounds", ...[0, 1, 2].map((i) => join(root, "photos", `${i}.jpg`))];
    const answer = await compose(...cutouts, ...photos, ...small, "--seed", "1", "--out", other, "--json");
    expect(JSON.parse(answer.stdout)).toMatchObject({ images: { train: 5, val: 2 } });
    expect(await bytes(other)).not.toEqual(await bytes(first));
  });

  it.each([
    [[...cutouts, ...backgrounds], 2, "--out <dir> is missing"],
    [["--cutouts", "cats", ...backgrounds, "--out", "x"], 2, '--cutouts is "cats"'],
    [[...cutouts, ...backgrounds, "--skip", "(", "--out", "x"], 2, '--skip is "("'],
    [[...cutouts, ...backgrounds, "--held-back", "1", "--out", "x"], 2, '--held-back is "1"'],
    [["--cutouts", "cat=/nowhere", ...backgrounds, "--out", "x"], 1, "the folder /nowhere for cut-outs of cat"],
    [[...cutouts, ...backgrounds, "--out", root, "--skip", "cats"], 1, "no image for cut-outs of cat"],
    [[...cutouts, ...backgrounds, "--out", join(root, "first")], 1, "holds images already"],
  ])("returns %j with %i", async (args, code, problem) => {
    const answer = await compose(...args);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(`error: `);
    expect(answer.stderr).toContain(problem);
    expect(answer.stderr.trimEnd().split("\n")).toHaveLength(2);
  });
});
