import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listFiles } from "../../scripts/lib/files.mjs";
import { sampleProblems, writeModule } from "../support/compiled.js";

const root = join(import.meta.dirname, "../..");
const EXAMPLE = /^ *\* @example\n *\* ```ts\n(.*?)^ *\* ```$/gms;

const sources: string[] = listFiles(join(root, "packages"), (name: string) => /\.ts$/.test(name));
const examples = sources
  .filter((path) => /^\w+\/src\//.test(path))
  .flatMap((path) => {
    const found = [...readFileSync(join(root, "packages", path), "utf8").matchAll(EXAMPLE)];
    return found.map(([, text]) => [path, text!.replace(/^ *\* ?/gm, "")] as const);
  });

// There the packages are found by their names.
const folder = mkdtempSync(join(root, "node_modules", ".examples-"));
const fileOf = (path: string): string => join(folder, `${path.replaceAll("/", "-")}`);

beforeAll(async () => {
  for (const part of ["images", "masks"]) mkdirSync(join(folder, "street", part), { recursive: true });
  for (let i = 0; i < 12; i++) {
    const pixel = (value: number) =>
      sharp(new Uint8Array(256).fill(value), { raw: { width: 16, height: 16, channels: 1 } });
    await pixel(20 * i).toFile(join(folder, "street/images", `${i}.png`));
    await pixel(i % 3).toFile(join(folder, "street/masks", `${i}.png`));
  }
  for (const [path, text] of examples) writeFileSync(fileOf(path), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the main functions have examples, which compile", () => {
  expect(examples.length).toBeGreaterThan(15);
  expect(sampleProblems(examples.map(([path]) => fileOf(path)))).toEqual([]);
});

it("each example runs", () => {
  const files = examples.map(([path, text]) => writeModule(fileOf(path).replace(/\.ts$/, ".mjs"), text));
  const main = `
    const failed = [];
    for (const file of ${JSON.stringify(files)}) {
      await import(file).catch((error) => failed.push(file + ": " + error.message));
      if (process.exitCode) failed.push(file + " sets the exit code " + process.exitCode);
      process.exitCode = 0;
    }
    console.log("failed: " + JSON.stringify(failed));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", main], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("failed: []");
});
