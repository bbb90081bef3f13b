import { spawnSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { disc, rgba } from "../fcn/data/composite/drawn.js";
import { temporaryFolder } from "../fcn/data/trees.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/transfer.mjs", import.meta.url));
const FOLDERS = ["animals/birds", "animals/mammals", "plants/flowers", "food/fruit", "vehicles", "military/vehicles"];

const folder = await temporaryFolder("fcn-transfer");

async function draw(path: string, image: ReturnType<typeof rgba>): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const raw = { width: image.width, height: image.height, channels: 4 } as const;
  await sharp(image.data, { raw }).png().toFile(file);
}

for (const [f, name] of FOLDERS.entries()) {
  for (let i = 0; i < 3; i++) await draw(`stamps/${name}/${i}.png`, rgba(48, 48, [40 * f, 80 * i, 200], disc(48, 2)));
}
for (let i = 0; i < 2; i++) await draw(`photos/${i}.png`, rgba(200, 160, [60 + 90 * i, 120, 40]));

describe("npm run transfer", () => {
  it("composes images, and trains from both starts by the commands of fcn", async () => {
    const out = join(folder, "run");
    const images = ["--stamps", join(folder, "stamps"), "--photos", join(folder, "photos")];
    const counts = ["--steps", "2", "--samples", "6", "--validation", "4", "--seed", "3"];
    const args = [SCRIPT, ...images, ...counts, "--out", out, "--json"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      env: { ...process.env, FCN_CACHE: join(folder, "cache") },
    });
    expect(stderr).not.toContain("error:");
    expect(status).toBe(0);
    const { background, starts } = JSON.parse(stdout);
    expect(background.meanIU * 6).toBeCloseTo(background.pixelAccuracy, 6);
    expect(starts.map(({ start }: { start: string }) => start)).toEqual(["random", "pretrained"]);
    for (const { scores } of starts) expect(scores.perClassIU).toHaveLength(6);
    const [random, pretrained] = ["random", "pretrained"].map((start) => join(out, start, "best.safetensors"));
    for (const file of [random, pretrained]) {
      const { options, preprocessing, classes } = await io.readSafetensorsMetadata(file as string);
      expect(JSON.parse(options ?? "")).toMatchObject({ samePadding: true, bnEps: 1e-3 });
      expect(JSON.parse(preprocessing ?? "")).toMatchObject({ mean: [0, 0, 0], std: [255, 255, 255] });
      expect(JSON.parse(classes ?? "")).toEqual(["background", "bird", "mammal", "flower", "fruit", "vehicle"]);
    }
    const html = await readFile(join(out, "pretrained", "report.html"), "utf8");
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
  });
});
