import { readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fileDigest } from "../../../../packages/fcn/src/files/digest.js";
import { LocalPlace } from "../../../../packages/fcn/src/places/local.js";
import { Manifest } from "../../../../packages/fcn/src/prediction/files/manifest.js";
import type { WrittenFile } from "../../../../packages/fcn/src/prediction/files/written.js";
import { temporaryFolder, writeTree } from "../../data/trees.js";

const root = await temporaryFolder("fcn-manifest");
const NAMES = ["b.png", "a.png", "deep/ü.png", "10.png", "9.png"];

/** A place with some files, and what is to be said of them. */
async function filled(name: string): Promise<{ place: LocalPlace; folder: string; files: WrittenFile[] }> {
  const folder = join(root, name);
  await writeTree(folder, Object.fromEntries(NAMES.map((file) => [file, `content of ${file}`])));
  const files = NAMES.map(async (file) => {
    const path = join(folder, file);
    return { name: file, bytes: (await readFile(path)).length, sha256: await fileDigest(path, "sha256") };
  });
  return { place: new LocalPlace(folder), folder, files: await Promise.all(files) };
}
const textOf = ({ folder }: { folder: string }): Promise<string> => readFile(join(folder, ".fcn-predict.json"), "utf8");

it("has the same bytes, however the files came to be", async () => {
  const [one, two, three] = [await filled("one"), await filled("two"), await filled("three")];
  const whole = await Manifest.read(one.place);
  await whole.announce(NAMES);
  await whole.settle(one.files, NAMES);
  // Parts of many machines, in any order, and times of their own.
  await (await Manifest.read(two.place)).settle([...two.files].reverse());
  for (const file of three.files) await (await Manifest.read(three.place)).settle([file]);
  for (const file of NAMES) await utimes(join(two.folder, file), 1, 1);
  const text = await textOf(one);
  expect([await textOf(two), await textOf(three)]).toEqual([text, text]);
  const names = Object.keys((JSON.parse(text) as { files: object }).files);
  expect(names).toEqual(["10.png", "9.png", "a.png", "b.png", "deep/ü.png"]);
  const manifest = await Manifest.read(two.place);
  for (const name of NAMES) expect(await manifest.isOwn(name), name).toBe(true);
  expect([...manifest.folders]).toEqual(["", "deep/"]);
});

it("knows a file that was changed, of the same length or not, and one that is being written", async () => {
  const { place, folder, files } = await filled("changed");
  const first = await Manifest.read(place);
  expect(first.isEmpty).toBe(true);
  await first.settle(files);
  await (await Manifest.read(place)).announce(["9.png", "new.png"]);
  await writeFile(join(folder, "a.png"), "content of A.png");
  await writeFile(join(folder, "b.png"), "longer than before");
  await writeFile(join(folder, "9.png"), "half");
  const manifest = await Manifest.read(place);
  const own = await Promise.all([...NAMES, "new.png", "foreign.png"].map((name) => manifest.isOwn(name)));
  expect(own).toEqual([false, false, true, true, true, false, false]);
});

it("forgets what was announced and not written, and goes when nothing is left", async () => {
  const { place, folder, files } = await filled("forgotten");
  const manifest = await Manifest.read(place);
  await manifest.announce(["a.png", "b.png"]);
  await manifest.settle([], ["a.png", "b.png"]);
  await expect(textOf({ folder })).rejects.toThrow("ENOENT");
  await manifest.settle(files.slice(0, 1), ["a.png"]);
  const next = await Manifest.read(place);
  await next.announce(["b.png"]);
  await next.settle([], ["b.png"]);
  expect(JSON.parse(await textOf({ folder }))).toEqual({
    files: { "b.png": { bytes: files[0]?.bytes, sha256: files[0]?.sha256 } },
  });
});

it.each(["", "no JSON", "null", "[]", '{"files":3}', '{"files":{"a.png":{"bytes":1}}}', '{"files":{"a.png":7}}'])(
  "takes %s for an empty list",
  async (text) => {
    const { place, folder } = await filled("damaged");
    await writeFile(join(folder, ".fcn-predict.json"), text);
    const manifest = await Manifest.read(place);
    expect([manifest.isEmpty, await manifest.isOwn("a.png")]).toEqual([true, false]);
  },
);

it("says beforehand how many images its list has room for, whose results are as long as can be", async () => {
  const { place, folder, files } = await filled("room");
  const named = NAMES.map((name) => [name]);
  const manifest = await Manifest.read(place);
  /** The shortest list that would do. */
  let enough = 0;
  const refusal = (): unknown => {
    try {
      manifest.checkRoom(named, enough);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const refused: string[] = [];
  for (let error = refusal(); error !== undefined; error = refusal()) {
    expect(error).toMatchObject({ code: "limit-exceeded", commandFix: expect.stringContaining("--out") });
    refused.push((error as Error).message);
    enough++;
  }
  expect(refused[0]).toContain("room for those of about 0 images, not of 5");
  expect(refused.at(-1)).toContain("room for those of about 4 images, not of 5");
  await manifest.settle(files.map((file) => ({ ...file, bytes: Number.MAX_SAFE_INTEGER })));
  const { length } = await textOf({ folder });
  expect(length).toBeLessThanOrEqual(enough);
  expect(length).toBe(enough - 1);
  const later = await Manifest.read(place);
  later.checkRoom(named, enough);
  expect(() => later.checkRoom([["c.png"], ["d.png"]], enough + 130)).toThrow(
    "about 1 image beside the 5 results that are there, not of 2",
  );
});
