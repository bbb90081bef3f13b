import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { data } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseRange, type RangeSurvey } from "../../../../packages/fcn/src/data/workers/rangeSurvey.js";
import { expandInputs } from "../../../../packages/fcn/src/prediction/files/inputs.js";
import { tinyRun } from "../../training/tinyRun.js";
import { greyPng, temporaryFolder, writeTree } from "../trees.js";

const SIDE = 32;
const root = await temporaryFolder("fcn-range");

type Values = (x: number, y: number, image: number) => number;

/** Grey of 300 with a disc of 2800 and noise, as of a camera of 12 bits. */
const camera: Values = (x, y, i) => (Math.hypot(x - 10 - i, y - 16) < 8 ? 2800 : 300) + ((x * 7 + y * 13 + i) % 32);

const deepPng = (values: Values, image: number): Uint8Array =>
  encode({
    ...{ height: SIDE, width: SIDE, channels: 1, depth: 16 },
    data: Uint16Array.from({ length: SIDE * SIDE }, (_, at) => values(at % SIDE, Math.floor(at / SIDE), image)),
  });

async function folder(name: string, images: readonly Uint8Array[], extension = "png"): Promise<string> {
  const files: Record<string, Uint8Array | string> = { "classes.json": '["ground", "disc"]' };
  images.forEach((image, i) => {
    files[`images/p${i}.${extension}`] = image;
    files[`masks/p${i}.png`] = greyPng(SIDE, SIDE, (x, y) => Number(Math.hypot(x - 10 - i, y - 16) < 8));
  });
  await writeTree(join(root, name), files);
  return join(root, name);
}

const images = (values: Values): Uint8Array[] => [0, 1, 2, 3, 4].map((i) => deepPng(values, i));
const codesOf = (remarks: readonly data.DataRemark[]): string[] => remarks.map(({ level, code }) => `${level} ${code}`);

describe("the range of a folder of images of more than 8 bits", () => {
  it("is that of the training images' values, the same for all, told and given to each item", async () => {
    const opened = await data.open(await folder("camera", images(camera)));
    expect([opened.range, opened.depths]).toEqual([[300, 2831], ["uint16"]]);
    expect(opened.remarks).toContainEqual(expect.objectContaining({ level: "note", code: "pixel-range" }));
    for (const split of Object.values(opened.splits)) {
      expect(split.item?.(0).image[0]).toMatchObject({ as: "rgb", range: [300, 2831] });
    }
    const { image } = await opened.splits.train!.load(0);
    expect([Math.min(...image.data), Math.max(...image.data)]).toEqual([0, 255]);
    const report = await data.check(opened, { workers: 0 });
    expect([report.ok, report.levels]).toEqual([true, { uint16: { min: 300, max: 2831, distinct: 8 } }]);
  });

  it("may be given, and is refused where it is none", async () => {
    const root = await folder("given", images(camera));
    const opened = await data.open(root, { range: [0, 4095] });
    expect(opened.range).toEqual([0, 4095]);
    const { image } = await opened.splits.train!.load(0);
    expect(Math.max(...image.data)).toBe(Math.round((2831 * 255) / 4095));
    for (const range of [[5, 5], [9, 1], [0], ["a", "b"], [0, Number.NaN]]) {
      await expect(data.open(root, { range: range as never })).rejects.toMatchObject({ code: "invalid-argument" });
    }
    const eight = await folder(
      "eight",
      images(camera).map(() => greyPng(SIDE, SIDE, (x, y) => x + y)),
    );
    const flat = await data.open(eight, { range: [0, 50] });
    expect([flat.range, codesOf(flat.remarks).includes("note range-unused")]).toEqual([undefined, true]);
    expect(Math.max(...(await flat.splits.train!.load(0)).image.data)).toBe(2 * SIDE - 2);
  });

  it("warns of mixed depth, of constant images, of clipped and of missing values", async () => {
    const mixed = images(camera);
    mixed[1] = greyPng(SIDE, SIDE, (x, y) => (camera(x, y, 1) / 16) | 0);
    const opened = await data.open(await folder("mixed", mixed));
    expect(codesOf(opened.remarks)).toContain("warning mixed-depths");
    expect(opened.depths).toEqual(["uint16", "uint8"]);
    const blank = await data.check(
      await folder(
        "blank",
        images(() => 700),
      ),
      { workers: 0 },
    );
    expect(codesOf(blank.remarks).filter((code) => code === "warning constant-image")).toHaveLength(5);
    const clipped = await data.check(await folder("clipped", images(camera)), { workers: 0, range: [0, 1000] });
    expect(codesOf(clipped.remarks)).toContain("warning clipped");
    const golden = new URL("../../../golden/tiff/float32-holes.tif", import.meta.url);
    const holes = new Uint8Array(await readFile(golden));
    const report = await data.check(await folder("holes", Array(3).fill(holes), "tif"), { workers: 0 });
    expect(codesOf(report.remarks)).toContain("warning missing-values");
  });

  it("follows the values: a common scale, the ends, or what is left without outliers", () => {
    const survey = (depth: RangeSurvey["depth"], values: readonly number[]): RangeSurvey => {
      const ranked = [...values].sort((a, b) => a - b);
      return { depth, min: ranked[0] as number, max: ranked.at(-1) as number, ranked };
    };
    const ramp = (low: number, high: number): number[] =>
      Array.from({ length: 1001 }, (_, i) => low + ((high - low) * i) / 1000);
    const of = (depth: RangeSurvey["depth"], values: readonly number[]) => chooseRange([survey(depth, values)]);
    expect(of("uint16", ramp(0, 60_000))).toEqual([0, 65535]);
    expect(of("uint16", ramp(0, 200))).toEqual([0, 255]);
    expect(of("float32", ramp(0.1, 0.9))).toEqual([0, 1]);
    expect(of("float32", ramp(3, 250))).toEqual([0, 255]);
    expect(of("uint16", ramp(40, 4000))).toEqual([40, 4000]);
    expect(of("uint16", ramp(50_000, 51_000))).toEqual([50_000, 51_000]);
    expect(of("int16", ramp(-1000, 3000))).toEqual([-1000, 3000]);
    expect(of("int32", ramp(7, 7))).toEqual([7, 8]);
    // Without the lowest and the highest of a thousand values.
    expect(of("uint16", [...ramp(40, 1000), 60_000])).toEqual([40.96, 1000]);
    expect(chooseRange([survey("uint16", ramp(10, 100)), survey("uint16", ramp(600, 900))])).toEqual([10, 900]);
    expect(chooseRange([])).toBeUndefined();
  });
});

describe("a net trained on images of more than 8 bits", () => {
  let device: Device;
  const out = join(root, "run");
  beforeAll(async () => {
    device = await createDevice({ quiet: true });
    const lines: string[] = [];
    const view = { line: (text: string): void => void lines.push(text) };
    const pairs = await folder("train", images(camera));
    await fcn.trainRun({ ...tinyRun(pairs, device), out, steps: 2, batchSize: 2, view });
    expect(lines).toContainEqual(expect.stringMatching(/uint16: their values from 300 to 2831 become 0 to 255/));
  });
  afterAll(() => device?.destroy());

  it("keeps the range in its weights file, and sees later images by it", async () => {
    const loaded = await fcn.loadModel(join(out, "best.safetensors"), device);
    const { range, depths } = loaded.metadata.preprocessing;
    expect([range, depths]).toEqual([[300, 2831], ["uint16"]]);
    // What the range makes of the image, as an image of 8 bits in memory.
    const { image } = await data.decodeImage("p", deepPng(camera, 2), { range: [300, 2831] });
    const want = await fcn.predict(loaded, image);
    const file = join(root, "train", "images", "p2.png");
    for (const image of [deepPng(camera, 2), file]) {
      expect((await fcn.predict(loaded, image)).labels).toEqual(want.labels);
    }
    const [input] = await expandInputs([file]);
    expect((await input!.load(loaded.metadata.preprocessing)).data).toEqual(image.data);
    const given = await fcn.predict(loaded, file, { range: [0, 65535] });
    expect(given.labels).toHaveLength(SIDE * SIDE);
    loaded.model.dispose();
  });

  it("refuses images of another kind, in predict and in evaluate, and scores by its own range", async () => {
    const loaded = await fcn.loadModel(join(out, "best.safetensors"), device);
    const eight = greyPng(SIDE, SIDE, (x) => x);
    await expect(fcn.predict(loaded, eight)).rejects.toMatchObject({ code: "other-depth" });
    const bright = deepPng((x, y) => 20_000 + 40 * (x + y), 0);
    await expect(fcn.predict(loaded, bright)).rejects.toMatchObject({
      code: "other-depth",
      commandFix: expect.stringContaining("--range"),
    });
    const other = await folder(
      "other",
      images((x, y, i) => camera(x, y, i) + 200),
    );
    const { val } = (await data.open(other)).splits;
    const own = await fcn.evaluate(loaded, val!);
    const item = val!.item!(0);
    const ranged = { ...item, image: [{ ...item.image[0]!, range: [300, 2831] as const }] };
    const sample = await data.loadItem(ranged);
    expect((await fcn.evaluate(loaded, [sample])).confusion).toEqual(own.confusion);
    loaded.model.dispose();
  });
});
