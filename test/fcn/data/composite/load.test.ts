import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disc, rgba } from "./drawn.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "composite-"));
  await image(
    "birds/b.png",
    rgba(30, 20, [9, 8, 7], (x, y) => (x >= 5 && x < 25 && y >= 4 && y < 12 ? 255 : 0)),
  );
  await image("birds/small/a.png", rgba(40, 40, [200, 0, 0], disc(40, 2)));
  await image("birds/cartoon/c.png", rgba(40, 40, [0, 0, 200], disc(40, 2)));
  await image("birds/whole.png", rgba(20, 20, [0, 200, 0]));
  await image(
    "birds/glass.png",
    rgba(40, 40, [0, 200, 200], (x) => (x < 30 ? 90 : 255)),
  );
  await image(
    "birds/dot.png",
    rgba(40, 40, [0, 200, 200], (x, y) => (x < 3 && y < 3 ? 255 : 0)),
  );
  await image(
    "fruit/big.png",
    rgba(700, 350, [200, 200, 0], (x) => (x < 600 ? 255 : 0)),
  );
  await image("photos/wide.jpg", rgba(80, 60, [120, 130, 140]));
  await image("photos/below/hidden.jpg", rgba(80, 60, [1, 1, 1]));
  await writeFile(join(root, "photos", "notes.txt"), "no image");
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function image(path: string, image: data.RgbaImage): Promise<void> {
  const file = join(root, path);
  await mkdir(join(file, ".."), { recursive: true });
  const raw = { width: image.width, height: image.height, channels: 4 as const };
  const decoded = sharp(image.data, { raw });
  await (path.endsWith(".png") ? decoded.png() : decoded.removeAlpha().jpeg({ quality: 100 })).toFile(file);
}

const folders = (change: Partial<data.CompositeFolders> = {}): data.CompositeFolders => ({
  cutouts: { bird: [join(root, "birds")], fruit: [join(root, "fruit")] },
  backgrounds: [join(root, "photos")],
  skip: (path) => path.includes("cartoon"),
  ...change,
});
const failure = (loading: Promise<unknown>): Promise<TensorError> =>
  loading.then(
    () => expect.fail("loaded without an error"),
    (error: unknown) => error as TensorError,
  );

describe("loadComposite", () => {
  it("refuses images of 16 bits that would be nearly black, and takes those that use their scale", async () => {
    const deep = async (path: string, level: number, channels: 1 | 4): Promise<void> => {
      const values = Uint16Array.from({ length: 40 * 40 * channels }, (_, i) => {
        if (channels === 4 && i % 4 === 3) return i % 160 > 60 ? 65535 : 0;
        return Math.round((level * (i % 97)) / 96);
      });
      const raw = { width: 40, height: 40, channels };
      await mkdir(join(root, path, ".."), { recursive: true });
      const space = channels === 1 ? "grey16" : "rgb16";
      await sharp(values, { raw }).toColourspace(space).png().toFile(join(root, path));
    };
    await deep("deep/cut/a.png", 65535, 4);
    await deep("deep/dark/a.png", 4095, 4);
    await deep("deep/photos/a.png", 65535, 1);
    await deep("deep/night/a.png", 4095, 1);
    const of = (cut: string, photos: string): Promise<data.LoadedComposite> =>
      data.loadComposite({ cutouts: { bird: [join(root, "deep", cut)] }, backgrounds: [join(root, "deep", photos)] });
    const { cutouts, backgrounds } = await of("cut", "photos");
    expect(cutouts).toHaveLength(1);
    expect(Math.max(...(backgrounds[0]?.image.data.filter((_, i) => i % 4 < 3) ?? []))).toBe(255);
    for (const [cut, photos, file] of [
      ["dark", "photos", "dark/a.png"],
      ["cut", "night", "night/a.png"],
    ] as const) {
      expect(await failure(of(cut, photos))).toMatchObject({
        code: "range-needed",
        message: expect.stringContaining(`${file}: its values are of 16 bits, 0 to 4095 of 0 to 65535`),
        fix: expect.stringContaining("mogrify -auto-level -depth 8"),
      });
    }
  });

  it("reads cut-outs by class in the order of their names, and photographs of the folder itself", async () => {
    const source = await data.loadComposite(folders());
    expect(source.classes).toEqual(["background", "bird", "fruit"]);
    const names = source.cutouts.map(({ name, label }) => [name.slice(root.length + 1), label]);
    expect(names).toEqual([
      [join("birds", "b.png"), 1],
      [join("birds", "small", "a.png"), 1],
      [join("fruit", "big.png"), 2],
    ]);
    expect(source.backgrounds.map(({ name }) => name)).toEqual(["wide"]);
    const { width, height, data: pixels } = source.backgrounds[0]!.image;
    expect([width, height]).toEqual([80, 60]);
    expect([...pixels.subarray(0, 4)]).toEqual([120, 130, 140, 255]);
  });

  it("counts a file once and by one name, however its folder is written", async () => {
    const bird = [join(root, "birds"), `${root}/fruit/../birds/`, `${root}/./birds`];
    const { cutouts } = await data.loadComposite(folders({ cutouts: { bird } }));
    expect(cutouts.map(({ name }) => name)).toEqual([
      join(root, "birds", "b.png"),
      join(root, "birds", "small", "a.png"),
    ]);
  });

  it("trims cut-outs to what shows and keeps their pixels", async () => {
    const { cutouts } = await data.loadComposite(folders());
    expect(cutouts[0]?.image).toEqual(rgba(20, 8, [9, 8, 7]));
  });

  it("reduces large images to the longest side asked for", async () => {
    const { cutouts, backgrounds } = await data.loadComposite(folders({ longestSide: { cutout: 70, background: 40 } }));
    expect(cutouts[2]?.image.height).toBe(35);
    expect(Math.abs(cutouts[2]!.image.width - 60)).toBeLessThanOrEqual(1);
    expect(backgrounds[0]?.image).toMatchObject({ width: 40, height: 30 });
    expect((await data.loadComposite(folders())).cutouts[2]?.image.height).toBe(256);
  });

  it("lists what cannot serve as a cut-out, and why", async () => {
    const { leftOut } = await data.loadComposite(folders());
    expect(leftOut.map(({ file, reason }) => `${file.slice(root.length + 1)}: ${reason}`)).toEqual([
      `${join("birds", "dot.png")}: almost nothing of it is opaque`,
      `${join("birds", "glass.png")}: it is mostly translucent`,
      `${join("birds", "whole.png")}: it has no transparent part`,
    ]);
  });

  it("gives samples at once", async () => {
    const source = await data.loadComposite(folders());
    const samples = data.composeSamples(source, 5, { size: 48, seed: 1 });
    for (const sample of samples) data.checkSample("test", sample, 3);
  });

  it("names the folder or file that is at fault", async () => {
    const absent = await failure(data.loadComposite(folders({ backgrounds: [join(root, "absent")] })));
    expect(absent).toBeInstanceOf(TensorError);
    expect(absent).toMatchObject({ code: "missing-data" });
    expect(absent.message).toContain(join(root, "absent"));
    const empty = await failure(data.loadComposite(folders({ cutouts: { bird: [join(root, "photos")] } })));
    expect(empty).toMatchObject({ code: "missing-data" });
    expect(empty.message).toContain("no image for cut-outs of bird");
    const file = join(root, "birds", "zz.png");
    await writeFile(file, "not an image");
    const damaged = await failure(data.loadComposite(folders()));
    await rm(file);
    expect(damaged).toMatchObject({ code: "unreadable-file" });
    expect(damaged.message).toContain(file);
  });
});
