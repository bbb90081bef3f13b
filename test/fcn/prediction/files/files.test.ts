import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io } from "@fcn/tensor";
import { decode, encode } from "fast-png";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mapAhead, startAhead } from "../../../../packages/fcn/src/async/pipeline.js";
import { encodeIndexedPng } from "../../../../packages/fcn/src/encoding/indexedPng.js";
import { makeFolder } from "../../../../packages/fcn/src/files/write.js";
import { LocalPlace } from "../../../../packages/fcn/src/places/local.js";
import { expandInputs } from "../../../../packages/fcn/src/prediction/files/inputs.js";
import { OutputFolder, type Predicted } from "../../../../packages/fcn/src/prediction/files/outputs.js";
import { toRaster } from "../../../../packages/fcn/src/prediction/image.js";
import { drawLegend, renderWithLegend } from "../../../../packages/fcn/src/report/images/legend.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-predict-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const touch = async (...names: string[]): Promise<void> => {
  for (const name of names) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), "x");
  }
};

describe("inputs", () => {
  it("are files, the images of folders and below, and what patterns match, each once", async () => {
    await touch("in/b.jpg", "in/a.PNG", "in/notes.txt", "in/.hidden.jpg", "in/deep/er/c.webp", "in/br[1].jpg");
    const at = (name: string): string => join(folder, "in", name);
    const found = await expandInputs([at(""), at("b.jpg"), at("*.jpg"), "-"]);
    expect(found.map(({ name, stem }) => [name.replace(`${folder}/`, ""), stem])).toEqual([
      ["in/a.PNG", "a"],
      ["in/b.jpg", "b"],
      ["in/br[1].jpg", "br[1]"],
      ["in/deep/er/c.webp", "deep/er/c"],
      ["standard input", "stdin"],
    ]);
    const [exact] = await expandInputs([at("br[1].jpg")]);
    expect(exact?.path).toBe(at("br[1].jpg"));
  });

  it("leave out the results that lie in their folder", async () => {
    await touch("in/results/b.png", "in/results-too/c.png");
    const found = await expandInputs([join(folder, "in")], { out: join(folder, "in", "results") });
    const stems = found.map(({ stem }) => stem);
    expect(stems).toContain("results-too/c");
    expect(stems).not.toContain("results/b");
    const all = await expandInputs([join(folder, "in")], { out: join(folder, "in") });
    expect(all.map(({ stem }) => stem)).toContain("results/b");
  });

  it("are at most as many as there may be", async () => {
    const there = await expandInputs([folder]);
    expect(await expandInputs([folder], { most: there.length })).toHaveLength(there.length);
    const refusal = { code: "limit-exceeded", commandFix: expect.stringContaining("by folder or prefix") };
    await expect(expandInputs([folder], { most: there.length - 1 })).rejects.toMatchObject(refusal);
    const two = [join(folder, "b.jpg"), join(folder, "br[1].jpg")];
    await expect(expandInputs(two, { most: 1 })).rejects.toMatchObject(refusal);
  });

  it("are found once where links lead in a circle, and links to nothing are told", async () => {
    await touch("links/a.png", "links/deep/b.png");
    await symlink(join(folder, "links"), join(folder, "links", "deep", "again"));
    await symlink("nowhere.png", join(folder, "links", "gone.png"));
    await symlink("self.png", join(folder, "links", "self.png"));
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text.replace(`${folder}/`, ""));
    const found = await expandInputs([join(folder, "links")], { onWarning });
    expect(found.map(({ stem }) => stem)).toEqual(["a", "deep/b"]);
    expect((await expandInputs([join(folder, "links", "**", "*.png")])).map(({ stem }) => stem).sort()).toEqual([
      "a",
      "b",
    ]);
    expect(warnings.sort()).toEqual([
      "left out links/gone.png: a link to nowhere.png, which does not exist",
      "left out links/self.png: a link to self.png, which does not exist",
    ]);
  });

  it("with nothing after a name fail when they are loaded", async () => {
    await mkdir(join(folder, "empty"));
    const names = ["nothing.jpg", "no*.jpg", "empty"].map((name) => join(folder, name));
    const found = await expandInputs(names);
    const problems = await Promise.all(found.map((input) => input.load().catch((error: Error) => error.message)));
    expect(problems).toEqual([
      `${names[0]}: there is no such file or folder, and no file matches`,
      `${names[1]}: there is no such file or folder, and no file matches`,
      `${names[2]}: it holds no images`,
    ]);
  });
});

describe("images", () => {
  const [height, width] = [24, 40];
  const rgb = Buffer.from(
    Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return [6 * x, 10 * y, 100][i % 3]!;
    }),
  );
  const image = () => sharp(rgb, { raw: { height, width, channels: 3 } });
  const differs = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let worst = 0;
    for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
    return worst;
  };

  /** A PNG file of one pixel whose header says another size. */
  const pngOfSize = (height: number, width: number): Uint8Array => {
    const bytes = new Uint8Array(encode({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) }));
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    view.setUint32(29, new io.Crc32().update(bytes.subarray(12, 29)).value);
    return bytes;
  };

  it("of every kind come as upright 8-bit RGB", async () => {
    const raster = async (bytes: Buffer) => {
      const { data, ...size } = await toRaster(new Uint8Array(bytes));
      return { data: data as Uint8Array, ...size };
    };
    const size = { height, width, channels: 3 };
    const plain = await raster(await image().png().toBuffer());
    expect(plain).toEqual({ data: new Uint8Array(rgb), ...size });
    const deep = await raster(await image().toColourspace("rgb16").png().toBuffer());
    expect(deep).toMatchObject(size);
    expect(differs(deep.data, rgb)).toBeLessThanOrEqual(1);
    const clear = await raster(await image().ensureAlpha(0.3).png().toBuffer());
    expect(clear).toEqual(plain);
    const cmyk = await raster(await image().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer());
    expect(cmyk).toMatchObject(size);
    const grey = await raster(await image().greyscale().png().toBuffer());
    expect(grey).toMatchObject(size);
    expect(grey.data.every((value, i) => value === grey.data[i - (i % 3)])).toBe(true);
    const turned = await raster(await image().withMetadata({ orientation: 6 }).png().toBuffer());
    expect(turned).toMatchObject({ height: width, width: height });
    // A quarter turn clockwise: the lower left corner becomes the upper left one.
    expect([...turned.data.subarray(0, 3)]).toEqual([
      ...rgb.subarray((height - 1) * width * 3, (height - 1) * width * 3 + 3),
    ]);
  });

  it("that are none, empty or cut off are one clear line with their name", async () => {
    const jpeg = await image().jpeg().toBuffer();
    const write = async (name: string, bytes: Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    for (const [name, bytes, problem] of [
      ["zero.jpg", new Uint8Array(0), "it is empty"],
      ["text.png", new TextEncoder().encode("not an image"), "no image of a known format"],
      ["cut.jpg", jpeg.subarray(0, jpeg.length - 200), "cut off or damaged"],
      ["large.png", pngOfSize(20_000, 20_000), "it has more than 268402689 pixels"],
    ] as const) {
      const path = await write(name, bytes);
      const error = await toRaster(path).catch((cause: Error) => cause);
      expect(error).toMatchObject({ name: "TensorError", message: expect.stringContaining(problem) });
      expect((error as Error).message).toContain(path);
      expect((error as Error).message).not.toContain("\n");
    }
  });
});

describe("an output folder", () => {
  /** The names of the labels, and of the overlay, of each stem. */
  const namesFor = async (root: string, inputs: { stem: string; path?: string }[]): Promise<string[][]> => {
    const out = new OutputFolder(new LocalPlace(join(folder, root)), ["labels", "overlay"]);
    await out.open();
    const places = await out.reserve(inputs);
    await out.close();
    return [...places.values()].map((names) => [...names.values()]);
  };

  it("gives every image names of its own, and never that of an input", async () => {
    await touch("o/Photo.png");
    const stems = ["photo", "a", "A", "a.overlay", "deep/a"].map((stem) => ({ stem }));
    expect(await namesFor("o", [{ ...stems[0]!, path: join(folder, "o", "Photo.png") }, ...stems.slice(1)])).toEqual([
      ["photo-2.png", "photo-2.overlay.png"],
      ["a.png", "a.overlay.png"],
      ["A-2.png", "A-2.overlay.png"],
      ["a.overlay-2.png", "a.overlay-2.overlay.png"],
      ["deep/a.png", "deep/a.overlay.png"],
    ]);
  });

  it("knows an input through links to its folder and to itself", async () => {
    await touch("real/a.png", "real/deep/b.png");
    await symlink(join(folder, "real"), join(folder, "linked"));
    await mkdir(join(folder, "elsewhere"));
    await symlink(join(folder, "real", "a.png"), join(folder, "elsewhere", "c.png"));
    expect(await namesFor("linked", [{ stem: "a", path: join(folder, "real", "a.png") }])).toEqual([
      ["a-2.png", "a-2.overlay.png"],
    ]);
    expect(await namesFor("linked", [{ stem: "deep/b", path: join(folder, "real", "deep", "b.png") }])).toEqual([
      ["deep/b-2.png", "deep/b-2.overlay.png"],
    ]);
    expect(await namesFor("real", [{ stem: "a", path: join(folder, "elsewhere", "c.png") }])).toEqual([
      ["a-2.png", "a-2.overlay.png"],
    ]);
  });

  it("is written over where predict wrote it, and nowhere else", async () => {
    const root = join(folder, "own");
    const open = async (stems: string[], overwrite = false) => {
      const out = new OutputFolder(new LocalPlace(root), ["labels"]);
      await out.open();
      const places = await out.reserve(
        stems.map((stem) => ({ stem })),
        { overwrite },
      );
      return { out, paths: [...places.values()] };
    };
    const labels = new Uint8Array(4);
    const prediction = { labels, height: 2, width: 2, tiles: 1 };
    const predicted = { input: "x", prediction, shares: [], classes: [], palette: [[0, 0, 0]], plain: 0, tolerance: 0 };
    const first = await open(["a", "failed"]);
    await first.out.write(first.paths[0]!, predicted as unknown as Predicted);
    // As it is while a run goes on, or after one that was cut off.
    await (await open(["a", "failed"])).out.close();
    await first.out.close();
    const { out: again } = await open(["a", "failed"]);
    await again.close();
    await touch("own/failed.png", "own/mask.png");
    for (const name of ["failed", "mask"]) {
      await expect(open(["a", name])).rejects.toMatchObject({
        code: "file-exists",
        message: expect.stringContaining(`own/${name}.png exists and was not written by fcn predict`),
        fix: expect.stringContaining("--overwrite"),
      });
    }
    await writeFile(join(root, "a.png"), "mended by hand");
    await expect(open(["a"])).rejects.toMatchObject({ code: "file-exists" });
    const { out: forced, paths } = await open(["mask"], true);
    await forced.write(paths[0]!, predicted as unknown as Predicted);
    await forced.close();
    await (await open(["mask"])).out.close();
    expect((await readdir(root)).sort()).toEqual([".fcn-predict.json", "a.png", "failed.png", "mask.png"]);
  });

  it("that cannot be written is refused before anything is done", async () => {
    await writeFile(join(folder, "file"), "x");
    const inFile = new OutputFolder(new LocalPlace(join(folder, "file", "out")), ["labels"]);
    await expect(inFile.open()).rejects.toMatchObject({
      code: "unwritable-file",
      message: expect.stringContaining("file/out"),
    });
    const fine = new OutputFolder(new LocalPlace(join(folder, "x", "y", "z")), ["labels"]);
    await fine.open();
    expect(await readdir(join(folder, "x", "y", "z"))).toEqual([]);
  });

  it.runIf(process.platform === "linux")("ends where a file system denies that its own folder exists", async () => {
    await expect(makeFolder("predict", "/proc/nowhere/out")).rejects.toMatchObject({
      code: "unwritable-file",
      message: "predict: cannot write /proc/nowhere/out: its folder does not exist",
    });
  });
});

describe("label maps as PNG", () => {
  it("hold the labels as palette indices", async () => {
    const labels = Uint8Array.from({ length: 35 * 21 }, (_, i) => (i * 7) % 5);
    const palette = [
      [0, 0, 0],
      [255, 1, 2],
      [3, 254, 4],
      [5, 6, 253],
      [9, 9, 9],
    ] as const;
    const png = decode(await encodeIndexedPng({ labels, height: 35, width: 21, palette }), { checkCrc: true });
    expect(png).toMatchObject({ width: 21, height: 35, depth: 8, channels: 1 });
    expect(new Uint8Array(png.data)).toEqual(labels);
    expect(png.palette).toEqual(palette);
  });
});

describe("overlays with a legend", () => {
  it("show the image unchanged above the names of its classes", async () => {
    const [height, width] = [30, 50];
    const rgba = new Uint8ClampedArray(height * width * 4).map((_, i) => (i % 4 === 3 ? 255 : (i * 13) % 256));
    const entries = ["sky", "building", "a very long class name indeed"].map((name, i) => {
      return { name, colour: [10 + 80 * i, 200, 40] as const };
    });
    const { data, info } = await sharp(await renderWithLegend({ rgba, height, width }, entries))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const legend = await drawLegend(entries, width);
    expect([info.width, info.height]).toEqual([legend.width, height + legend.height]);
    expect(legend.width).toBeGreaterThan(width);
    for (const [x, y] of [
      [0, 0],
      [49, 29],
      [20, 11],
    ] as const) {
      const [from, to] = [(y * width + x) * 4, (y * info.width + x) * 3];
      expect([...data.subarray(to, to + 3)]).toEqual([...rgba.subarray(from, from + 3)]);
    }
    const colours = new Set(
      Array.from({ length: info.width * info.height }, (_, i) => [...data.subarray(3 * i, 3 * i + 3)].join()),
    );
    for (const { colour } of entries) expect(colours.has(colour.join())).toBe(true);
    expect((await drawLegend(entries.slice(0, 2), 800)).height).toBeLessThan(legend.height);
  });
});

describe("arrays as npy", () => {
  it("are read back as they were", async () => {
    const path = join(folder, "array.npy");
    for (const array of [
      { dtype: "float32", shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i / 7) },
      { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 60n) },
      { dtype: "uint8", shape: [], data: Uint8Array.of(7) },
    ] as const) {
      await io.writeNpy(path, array);
      expect(await io.readNpy(path)).toEqual(array);
      const bytes = await io.encodeNpy(array);
      expect(new Uint8Array(await readFile(path))).toEqual(bytes);
      expect((bytes.length - array.data.byteLength) % 64).toBe(0);
    }
    const wrong = { dtype: "int32", shape: [3], data: Int32Array.of(1, 2) } as const;
    await expect(io.encodeNpy(wrong)).rejects.toThrow(/shape \[3\] of int32 needs 12 bytes, its data has 8/);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("are written in parts, in any order", async () => {
    const [path, whole] = [join(folder, "parts.npy"), join(folder, "whole.npy")];
    const array = { dtype: "int32", shape: [3, 5], data: Int32Array.from({ length: 15 }, (_, i) => i - 7) } as const;
    await io.writeNpy(whole, array);
    const file = await io.createNpy(path, array);
    for (const [begin, end] of [
      [10, 15],
      [0, 3],
      [3, 10],
    ] as const)
      await file.write(array.data.slice(begin, end), begin);
    const names = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith("parts.npy"));
    expect(await names()).not.toContain("parts.npy");
    await file.finish();
    await file.discard();
    expect(await names()).toEqual(["parts.npy"]);
    expect(await readFile(path)).toEqual(await readFile(whole));
    const other = await io.createNpy(path, array);
    await expect(other.write(array.data, 1)).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(other.write(new Float64Array(2), 0)).rejects.toThrow(
      /2 values of 8 bytes at 0 do not fit into \[3, 5\]/,
    );
    await other.write(array.data.subarray(0, 4), 0);
    await expect(other.finish()).rejects.toThrow("4 of 15 elements were written");
    await other.discard();
    expect(await names()).toEqual(["parts.npy"]);
    expect(await readFile(path)).toEqual(await readFile(whole));
  });
});

describe("pipelines", () => {
  const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

  it("work on a few items at a time and yield them in order", async () => {
    let [running, most] = [0, 0];
    const work = async (n: number): Promise<number> => {
      most = Math.max(most, ++running);
      await sleep((n * 7) % 5);
      running--;
      return n * n;
    };
    const found: number[] = [];
    for await (const value of mapAhead([1, 2, 3, 4, 5, 6, 7], 3, work)) found.push(value);
    expect(found).toEqual([1, 4, 9, 16, 25, 36, 49]);
    expect(most).toBe(3);
  });

  it("wait for what runs when the consumer leaves or an item fails", async () => {
    const done: number[] = [];
    const work = async (n: number): Promise<number> => {
      await sleep(3);
      if (n === 2) throw new Error("no");
      done.push(n);
      return n;
    };
    for await (const _ of mapAhead([0, 1, 3, 4], 3, work)) break;
    expect(done).toEqual([0, 1, 3]);
    const all = async () => {
      for await (const _ of mapAhead([0, 1, 2, 3, 4], 2, work));
    };
    await expect(all()).rejects.toThrow("no");
  });

  it("start items only while the consumer waits", async () => {
    let isConsuming = false;
    const start = async (n: number) => {
      expect(isConsuming).toBe(false);
      await sleep(1);
      expect(isConsuming).toBe(false);
      return { done: sleep(2).then(() => n) };
    };
    const found: number[] = [];
    for await (const value of startAhead([1, 2, 3, 4], 2, start)) {
      isConsuming = true;
      await sleep(4);
      isConsuming = false;
      found.push(value);
    }
    expect(found).toEqual([1, 2, 3, 4]);
  });
});
