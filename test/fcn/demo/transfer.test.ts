import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TransferSummary, transferFinding } from "../../../packages/fcn/dist/demo/transfer/summary.js";
import { disc, rgba } from "../data/composite/drawn.js";

const FCN = fileURLToPath(new URL("../../../packages/fcn/bin/fcn.js", import.meta.url));
const FOLDERS = ["animals/birds", "animals/mammals", "plants/flowers", "food/fruit", "vehicles", "military/vehicles"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-transfer-"));
  const draw = async (path: string, image: ReturnType<typeof rgba>): Promise<void> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await sharp(image.data, { raw: { width: image.width, height: image.height, channels: 4 } })
      .png()
      .toFile(file);
  };
  for (const [f, name] of FOLDERS.entries()) {
    for (let i = 0; i < 3; i++) await draw(`stamps/${name}/${i}.png`, rgba(48, 48, [40 * f, 80 * i, 200], disc(48, 2)));
  }
  for (let i = 0; i < 2; i++) await draw(`photos/${i}.png`, rgba(200, 160, [60 + 90 * i, 120, 40]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function transfer(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [FCN, "transfer", ...args]);
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

describe("fcn transfer", () => {
  it("goes the whole way on drawn stamps, from nsfwjs's weights and from random ones", async () => {
    const out = join(folder, "run");
    const pictures = ["--stamps", join(folder, "stamps"), "--photos", join(folder, "photos")];
    const counts = ["--steps", "2", "--samples", "6", "--validation", "4", "--seed", "3"];
    const { code, out: json, err } = await transfer(...pictures, ...counts, "--out", out, "--json");
    expect(err).not.toContain("error:");
    expect(code).toBe(0);
    expect(err).toContain("bird 2/1, mammal 2/1, flower 2/1, fruit 2/1, vehicle 4/2; photographs 1/1");
    const summary = JSON.parse(json) as TransferSummary;
    expect(summary).toMatchObject({
      model: "fcn16s-mobilenetv2",
      samples: { train: 6, validation: 4 },
    });
    expect(summary.baseline.meanIU * summary.classes.length).toBeCloseTo(summary.baseline.pixelAccuracy, 6);
    for (const start of [summary.random, summary.pretrained]) {
      expect(start.pixelAccuracy).toBeLessThanOrEqual(1);
      expect(start.tried).toHaveLength(1);
    }
    expect(summary.random.loss).not.toBe(summary.pretrained.loss);
    expect((await readdir(out)).sort()).toEqual(summary.files.map((file) => file.slice(out.length + 1)).sort());

    const html = await readFile(join(out, "report.html"), "utf8");
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(html.match(/<svg/g)).toHaveLength(2);
    expect(html).toContain("from pretrained weights");
    const csv = (await readFile(join(out, "metrics.csv"), "utf8")).trim().split("\n");
    expect(csv).toHaveLength(1 + 2 * 2);
    expect((await sharp(join(out, "panels.png")).metadata()).format).toBe("png");
    const metadata = await io.readSafetensorsMetadata(join(out, "pretrained.safetensors"));
    expect(JSON.parse(metadata.classes ?? "")).toEqual(summary.classes);
  });

  it.each([
    [["--steps", "many"], 2, '--steps is "many"'],
    [["--validation", "0"], 2, '--validation is "0"'],
    [["--stamps", "/nowhere"], 1, "the folder /nowhere is absent"],
  ])("answers %j with one clear line", async (args, wanted, text) => {
    const { code, out, err } = await transfer(...args, "--out", join(folder, "none"));
    expect(code).toBe(wanted);
    expect(out).toBe("");
    expect(err).toContain(text);
    expect(err.trim().split("\n")).toHaveLength(2);
  });
});

describe("transferFinding", () => {
  const shares = (meanIU: number) => ({ meanIU }) as TransferSummary["pretrained"];

  it("claims a gain only where there is one", () => {
    const found = (pretrained: number, random: number) =>
      transferFinding({ baseline: shares(0.1), random: shares(random), pretrained: shares(pretrained) });
    expect(found(0.5, 0.2)).toMatch(/^Pretrained weights gave the better net.*50.0 %.*20.0 %.*10.0 %/);
    expect(found(0.2, 0.2)).toMatch(/did not help/);
  });
});
