import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listFiles } from "../../scripts/lib/files.mjs";
import { bundle } from "../support/bundle.js";
import { sampleProblems, writeModule } from "../support/compiled.js";
import { onPage } from "../support/page.js";

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

/** Whether an example is for a page. */
const isForPages = ([, text]: readonly [string, string]): boolean => text.includes("document.querySelector");

it("each example runs", () => {
  const files = examples
    .filter((example) => !isForPages(example))
    .map(([path, text]) => writeModule(fileOf(path).replace(/\.ts$/, ".mjs"), text));
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

it("those for a page run on one with an image and a canvas", async () => {
  const pages = examples.filter(isForPages);
  expect(pages.length).toBeGreaterThan(1);
  const photo = await sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } })
    .png()
    .toBuffer();
  for (const [path, text] of pages) {
    const chunks = await bundle(readFileSync(writeModule(fileOf(path).replace(/\.ts$/, ".mjs"), text), "utf8"));
    const files = new Map<string, string | Buffer>(chunks.map(({ fileName, code }) => [`/${fileName}`, code]));
    const entry = chunks.find(({ isEntry }) => isEntry)?.fileName;
    const canvas = await onPage(async (page) => {
      await page.route("http://localhost/**", (route) => {
        const { pathname } = new URL(route.request().url());
        const body = pathname === "/photo.png" ? photo : files.get(pathname);
        const contentType = typeof body === "string" ? "text/javascript" : "image/png";
        if (body !== undefined) return route.fulfill({ contentType, body });
        const content = '<!doctype html><img src="/photo.png"><canvas></canvas>';
        return route.fulfill({ contentType: "text/html", body: content });
      });
      await page.goto("http://localhost/");
      await page.evaluate(`import("/${entry}").then(() => undefined)`);
      return page.evaluate("[document.querySelector('canvas').height, document.querySelector('canvas').width]");
    });
    expect(canvas, path).toEqual([48, 64]);
  }
}, 120_000);
