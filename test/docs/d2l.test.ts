import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { palettePng, temporaryFolder, writeTree } from "../fcn/data/trees.js";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const guide = readFileSync(join(repository, "docs/guide/d2l.md"), "utf8");
const script = /^```js\n(.*?)^```$/ms.exec(guide)?.[1] ?? "";
const cwd = await temporaryFolder("fcn-d2l-chapter");

/** As long as it takes to see that it works. */
const shortened = (text: string): string =>
  text
    .replace("batchSize: 32", "batchSize: 2")
    .replace("cropSize: [320, 480]", "cropSize: [64, 96]")
    .replace("epochs: 5", "epochs: 2");

const photograph = (seed: number, height: number, width: number): Promise<Buffer> => {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * (seed + 3)) % 251);
  return sharp(data, { raw: { height, width, channels: 3 } })
    .jpeg()
    .toBuffer();
};

async function writeVoc(): Promise<void> {
  const root = "VOCdevkit/VOC2012";
  const lists = {
    train: ["2007_1", "2007_2", "2007_3", "2007_4", "2007_5"],
    val: ["2007_6", "2007_7", "2007_8", "2007_9"],
  };
  const files: Record<string, Uint8Array | string> = { "catdog.jpg": await photograph(0, 40, 56) };
  const colours = Array.from({ length: 256 }, (_, i) => [i, (i * 7) % 256, (i * 13) % 256]);
  for (const [list, names] of Object.entries(lists)) {
    files[`${root}/ImageSets/Segmentation/${list}.txt`] = `${names.join("\n")}\n`;
    for (const [i, name] of names.entries()) {
      files[`${root}/JPEGImages/${name}.jpg`] = await photograph(i, 70, 100);
      files[`${root}/SegmentationClass/${name}.png`] = palettePng(70, 100, colours, (x) =>
        x < 50 ? 0 : x === 50 ? 255 : 12,
      );
    }
  }
  await writeTree(cwd, files);
}

beforeAll(async () => {
  await writeVoc();
  symlinkSync(join(repository, "node_modules"), join(cwd, "node_modules"));
});

const run = (text: string): { readonly out: string; readonly err: string; readonly code: number | null } => {
  writeFileSync(join(cwd, "chapter.mjs"), shortened(text));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["chapter.mjs"], {
    cwd,
    encoding: "utf8",
    timeout: 110_000,
  });
  return { out: stdout, err: stderr, code: status };
};

const sizeOf = async (file: string): Promise<number[]> => {
  const { width, height } = await sharp(join(cwd, file)).metadata();
  return [height ?? 0, width ?? 0];
};

describe("the chapter of the d2l book", () => {
  it("is a script of fewer than 30 lines that prints losses and accuracies and draws what it predicts", async () => {
    const lines = script.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
    expect(lines.length).toBeLessThan(30);
    const { out, err, code } = run(script);
    expect({ code, err }).toMatchObject({ code: 0 });
    const printed = out.trim().split("\n");
    expect(printed).toHaveLength(2);
    const line =
      /^epoch (\d)\/2: loss (\d+\.\d{3}), train acc (0\.\d{3}|1\.000), test acc (0\.\d{3}|1\.000), \d+\.\d images\/sec$/;
    for (const [i, text] of printed.entries()) expect(line.exec(text)?.[1]).toBe(`${i + 1}`);
    // The mean over pixels of 21 classes begins near ln 21.
    expect(Number(line.exec(printed[0] ?? "")?.[2])).toBeLessThan(6);
    // Side by side: the photograph, and the same at twice its size.
    expect(await sizeOf("doubled.png")).toEqual([80, 2 * 112 + 8]);
    expect(await sizeOf("predictions.png")).toEqual([4 * (70 + 8) - 8, 3 * (100 + 8) - 8]);
  });

  it("has exercises that run", () => {
    const options = /recipe: "d2l", epochs: 20, [^}]*/.exec(guide)?.[0].replace("epochs: 20", "epochs: 1") ?? "";
    const xavier = /nn\.init\.xavierUniform_\(.*?\}\)/.exec(guide)?.[0] ?? "";
    const changed = script
      .replace('"d2l-resnet18"', '"fcn8s-resnet18"')
      .replace(/^net\.loadStateDict.*$/m, "")
      .replace(
        /^const voc/m,
        `const own = fcn.models.create("d2l-resnet18", device, { numClasses: 21 });
${xavier.replace("net.", "own.")};
console.log(own.stateDict()["transpose_conv.weight"].shape);
const voc`,
      )
      .replace('recipe: "d2l", epochs: 5', options)
      .replace(
        /^\/\/ Prediction.*?^await voc/ms,
        "console.log((await fcn.evaluate(net, voc.test, voc)).meanIU);\nawait voc",
      );
    expect(options).toContain("learningRate");
    const { out, err, code } = run(changed);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(Number(out.trim().split("\n").at(-1))).toBeGreaterThanOrEqual(0);
  });
});
