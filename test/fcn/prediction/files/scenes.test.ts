import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandInputs } from "../../../../packages/fcn/src/prediction/files/inputs.js";
import { type ImageReport, type PredictRun, runPredict } from "../../../../packages/fcn/src/prediction/files/run.js";
import { fillWeights } from "../../../support/random-weights.js";
import { rawTiff } from "../../data/decode/rawTiff.js";
import { makeImage } from "../nets.js";

const CLASSES = ["background", "cat", "dog"];
const PALETTE = [
  [0, 0, 0],
  [200, 30, 30],
  [30, 200, 30],
] as const;
const PREPROCESSING: fcn.data.Preprocessing = { channelOrder: "rgb", mean: [3, 4, 3], std: [0.1, 0.1, 0.1] };
const [height, width] = [300, 260];
/** More pixels than the images beside the scene have. */
const SCENES = { mostPixels: 50_000, region: 20_000 };

let device: Device;
let folder: string;
let loaded: fcn.LoadedModel;
const at = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-scenes-"));
  device = await createDevice({ quiet: true });
  const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 1 });
  fillWeights(net, "scenes");
  const metadata = { classes: CLASSES, palette: PALETTE, preprocessing: PREPROCESSING };
  await fcn.saveModel(at("net.safetensors"), net, metadata);
  loaded = await fcn.loadModel(at("net.safetensors"), device);
  const tiff = async (name: string, rows: number, columns: number, seed: number): Promise<void> => {
    const raw = { raw: { height: rows, width: columns, channels: 3 as const } };
    const image = sharp(makeImage(rows, columns, seed).data, raw);
    await writeFile(
      at(name),
      await image.tiff({ tile: true, tileWidth: 64, tileHeight: 64, compression: "deflate" }).toBuffer(),
    );
  };
  await tiff("a.tif", 90, 70, 1);
  await tiff("b.tif", height, width, 2);
  await tiff("c.tif", 80, 60, 3);
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

async function run(names: string[], more: Partial<PredictRun>) {
  const inputs = await expandInputs(names.map((name) => at(name)));
  const reports: ImageReport[] = [];
  const job = { inputs, weights: [at("net.safetensors")], out: at("out"), tolerance: 0, scenes: SCENES };
  const summary = await runPredict({ ...job, options: { tile: 64, overlap: 32 }, ...more }, (report) =>
    reports.push(report),
  );
  return { reports, summary };
}

describe("fcn predict with a scene", () => {
  it("writes the labels and the summary that it has of the whole image, in the order of the inputs", async () => {
    const names = ["a.tif", "b.tif", "c.tif"];
    const { reports, summary } = await run(names, { out: at("scene"), save: ["labels", "summary"] });
    const whole = await run(names, {
      out: at("whole"),
      save: ["labels", "summary"],
      scenes: { mostPixels: 1e9, region: 1 },
    });
    expect(summary.failed).toBe(0);
    expect(reports.map(({ input }) => input)).toEqual(names.map((name) => at(name)));
    for (const name of ["a", "b", "c"]) {
      expect(await readFile(at("scene", `${name}.png`))).toEqual(await readFile(at("whole", `${name}.png`)));
      const [one, other] = await Promise.all(
        ["scene", "whole"].map(
          async (out) => JSON.parse(await readFile(at(out, `${name}.json`), "utf8")) as { tiles: number },
        ),
      );
      // Tiles at the borders of regions count for both.
      const tiles = name === "b" ? expect.any(Number) : other?.tiles;
      expect(one).toEqual({ ...other, tiles });
      if (name === "b") expect(one?.tiles).toBeGreaterThan(other?.tiles ?? 0);
    }
    expect(summary.remarks).toMatchObject([{ level: "note", code: "scene", file: at("b.tif") }]);
    expect(whole.summary.remarks).toEqual([]);
  });

  it("chooses tiles for the regions, and writes labels unless more is asked for", async () => {
    const { reports } = await run(["a.tif", "b.tif"], { out: at("usual"), options: {} });
    expect(reports.map((report) => ("files" in report ? Object.keys(report.files) : report.error))).toEqual([
      ["labels", "overlay"],
      ["labels"],
    ]);
    const { labels } = await fcn.predict(loaded, at("b.tif"), { tile: 32 });
    const { samples } = await fcn.data.decodePng("b.png", new Uint8Array(await readFile(at("usual", "b.png"))));
    expect(Buffer.compare(samples as Uint8Array, labels)).toBe(0);
  });

  it("refuses what needs the whole image, and goes on", async () => {
    const { reports, summary } = await run(["b.tif", "c.tif"], {
      out: at("more"),
      save: ["summary", "overlay", "polygons"],
    });
    expect(summary.failed).toBe(1);
    expect(reports[0]).toMatchObject({
      error: {
        code: "unsupported",
        message: expect.stringContaining(
          "of a scene of 300x260 pixels (height x width), which is not held whole, overlay and polygons",
        ),
        commandFix: expect.stringContaining("--save summary"),
      },
    });
    expect(reports[1]).toMatchObject({ input: at("c.tif"), height: 80 });
  });

  it("tells a scene that is cut off, and leaves no file of it", async () => {
    const values = [...makeImage(height, width).data];
    const whole = rawTiff({ width, values, bands: 3, photometric: 2, stripRows: 16 });
    await writeFile(at("cut.tif"), whole.subarray(0, whole.length - 1000));
    const { reports } = await run(["cut.tif", "a.tif"], { out: at("cut"), save: ["labels"] });
    const problem = "it is cut off: the block at row 18 and column 0 of its grid lies beyond its end";
    expect(reports[0]).toMatchObject({
      input: at("cut.tif"),
      error: { code: "corrupt-file", file: at("cut.tif"), message: `${at("cut.tif")}: ${problem}` },
    });
    expect(reports[1]).toMatchObject({ height: 90 });
    expect(await readdir(at("cut"))).toEqual([".fcn-predict.json", "a.png"]);
  });
});
