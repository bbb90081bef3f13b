import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const BLOCK = /^```(\w+) (\S+)\n(.*?)^```$/gms;

interface Block {
  readonly language: string;
  readonly path: string;
  readonly text: string;
}

const blocks = [...readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(BLOCK)].map(
  ([, language, path, text]) => ({ language, path, text }) as Block,
);

/** The text of a file with the lines of a block added and removed, whose other lines must stand there once. */
function edited(text: string, { path, text: change }: Block): string {
  const lines = change.trimEnd().split("\n");
  const before = lines.filter((line) => !line.startsWith("+")).map((line) => `${line.slice(1)}\n`);
  const after = lines.filter((line) => !line.startsWith("-")).map((line) => `${line.slice(1)}\n`);
  const parts = text.split(before.join(""));
  if (parts.length !== 2) throw new Error(`${path} holds the lines of a recipe ${parts.length - 1} times:\n${change}`);
  return parts.join(after.join(""));
}

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "fcn-recipes-"));
  const { stdout } = spawnSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  const sources = stdout.split("\n").filter((file) => file !== "" && !file.startsWith("test/golden/"));
  for (const file of sources) if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  // Installed packages are those of the repository, apart from its own.
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, "@fcn"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@fcn" && name !== ".vite") symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  for (const [name, folder] of [
    ["core", "fcn"],
    ["tensor", "tensor"],
    ["kernels", "kernels"],
  ] as const) {
    symlinkSync(join(copy, "packages", folder), join(modules, "@fcn", name));
  }
  for (const block of blocks) {
    const file = join(copy, block.path);
    if (block.language !== "diff") {
      expect(existsSync(file), block.path).toBe(false);
      mkdirSync(dirname(file), { recursive: true });
    }
    writeFileSync(file, block.language === "diff" ? edited(readFileSync(file, "utf8"), block) : block.text);
  }
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
const fcn = (...args: string[]) => node("packages/fcn/bin/fcn.js", ...args);

describe("the recipes for contributors", () => {
  it("give code that compiles", () => {
    expect(node("scripts/generate.mjs").status).toBe(0);
    expect(node("node_modules/@typescript/native/bin/tsc", "-b", "packages/fcn").stdout).toBe("");
  }, 240_000);

  it("give code in the style of the rest, with arrows that run one way", () => {
    const changed = blocks.map(({ path }) => path).filter((path) => /\.ts$/.test(path));
    const biome = node("node_modules/@biomejs/biome/bin/biome", "check", ...new Set(changed));
    expect(biome.stdout + biome.stderr).toMatch(/No fixes applied/);
    expect(node("scripts/check-arrows.mjs").stderr).toBe("");
  });

  it("give ops and layers that pass the tests of their kinds", () => {
    const tests = [
      "test/kernels/roll",
      "test/kernels/cases",
      "test/tensor/ops/roll",
      "test/fcn/models/graph/kinds/kinds",
    ];
    const { status, stdout } = node("node_modules/vitest/vitest.mjs", "run", ...tests);
    expect(stdout).toMatch(/Test Files .*4 passed/);
    expect(status).toBe(0);
  }, 240_000);

  it("give a pointwise op, a backbone and a layout to users", async () => {
    const data = join(copy, "ade20k");
    for (const [folder, suffix] of [
      ["images", "jpg"],
      ["annotations", "png"],
    ] as const) {
      for (const split of ["training", "validation"]) {
        mkdirSync(join(data, folder, split), { recursive: true });
        const create = { width: 8, height: 8, channels: 3, background: { r: 3, g: 3, b: 3 } } as const;
        const image = sharp({ create });
        await (suffix === "png" ? image.toColourspace("b-w") : image).toFile(join(data, folder, split, `a.${suffix}`));
      }
    }
    const script = `
      import * as fcn from "@fcn/core";
      import { createDevice, reciprocal } from "@fcn/tensor";
      const device = await createDevice({ quiet: true });
      const opened = await fcn.data.open(${JSON.stringify(data)});
      const [sample] = await fcn.data.loadAll(opened.splits.train);
      console.log(JSON.stringify({
        reciprocal: await reciprocal(device.tensor([2, -4], [2])).array(),
        nets: fcn.models.list().filter((name) => name.endsWith("-plain")),
        layout: opened.layout,
        label: sample.labels[0],
      }));
      device.destroy();`;
    writeFileSync(join(copy, "users.mjs"), script);
    const { stdout, stderr } = node("users.mjs");
    expect(JSON.parse(stdout || stderr)).toEqual({
      reciprocal: [0.5, -0.25],
      nets: ["fcn32s-plain", "fcn16s-plain", "fcn8s-plain"],
      layout: "ade20k",
      label: 2,
    });
  });

  it("give a flag and a command", () => {
    expect(fcn("train", "--help").stdout).toMatch(/--nesterov +Nesterov's form of momentum, of sgd/);
    expect(fcn("classes", "--help").stdout).toContain("print the classes of a net, one a line");
  });
});
