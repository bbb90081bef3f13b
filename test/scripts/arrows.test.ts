import { describe, expect, it } from "vitest";
import { checkArrows } from "../../scripts/lib/arrows.mjs";

function check(
  sources: Record<string, string>,
  dependencies: Record<string, string[]> = { tensor: ["webgpu"] },
): string[] {
  const files = Object.entries(sources).map(([path, text]) => ({ path: `packages/${path}`, text }));
  return checkArrows(files, dependencies);
}

describe("the direction of imports", () => {
  it("lets fcn import tensor, and tensor kernels", () => {
    expect(
      check({
        "fcn/src/a.ts": 'import { x } from "@fcn/tensor";\nexport * from "@fcn/tensor/internal";\n',
        "tensor/src/a.ts": 'import { x } from "@fcn/kernels";\n',
      }),
    ).toEqual([]);
  });

  it.each([
    ["kernels/src/a.ts", 'import { x } from "@fcn/tensor";', "kernels must not import @fcn/tensor"],
    ["fcn/src/a.ts", 'import type { X } from "@fcn/kernels";', "fcn must not import @fcn/kernels"],
    ["tensor/src/a.ts", 'import type { X } from "@fcn/core";', "tensor must not import @fcn/core"],
    ["tensor/src/a.ts", 'export * from "@fcn/core/x";', "tensor must not import @fcn/core"],
    ["tensor/src/a.ts", 'const m = await import("@fcn/core");', "tensor must not import @fcn/core"],
    ["tensor/src/a.ts", 'import { x } from "../../kernels/src/x.js";', "leaves the package"],
    ["fcn/src/a.ts", 'import { x } from "../../../test/x.js";', "leaves the package"],
    ["fcn/src/a.ts", 'import { x } from "../../../bench/x.js";', "leaves the package"],
    ["fcn/src/a.ts", 'import x from "left-pad";', '"left-pad" is not a dependency'],
  ])("%s: %s", (path, text, message) => {
    expect(check({ [path]: text })).toEqual([expect.stringContaining(message)]);
  });
});

describe("cycles of imports", () => {
  const loop = (load: string) => ({
    "tensor/src/a.ts": 'import { b } from "./b.js";\nexport const a = b;\n',
    "tensor/src/b.ts": `${load}\nexport const b = 1;\n`,
    "tensor/src/sub/c.ts": 'import { a } from "../a.js";\nexport const c = a;\n',
  });

  it.each(['import { c } from "./sub/c.js";', 'import type { C } from "./sub/c.js";'])(
    "with their path: %s",
    (load) => {
      expect(check(loop(load))).toEqual([
        expect.stringContaining("a.ts -> packages/tensor/src/b.ts -> packages/tensor/src/sub"),
      ]);
    },
  );

  it("leave out dynamic imports", () => {
    expect(check(loop('export const load = () => import("./sub/c.js");'))).toEqual([]);
  });

  const folders = {
    "fcn/src/x/a.ts": 'import { b } from "../y/z/b.js";\nimport { c } from "./c.js";\n',
    "fcn/src/x/c.ts": "export const c = 1;\n",
    "fcn/src/y/d.ts": '\nimport type { C } from "../x/c.js";\n',
    "fcn/src/y/z/b.ts": "export const b = 1;\n",
  };
  const [x, y] = ["packages/fcn/src/x", "packages/fcn/src/y"];

  it("are those between folders too, where no file is on one", () => {
    const see = `see ${x}/a.ts:1, ${y}/d.ts:2`;
    expect(check(folders)).toEqual([`${x}: import cycle: ${x} -> ${y} -> ${x}; ${see}`]);
  });
});

describe("dependencies", () => {
  const source = {
    "fcn/src/a.ts": 'import type { Sharp } from "sharp";\nexport const g = () => import("tinyglobby");\n',
  };

  it("are what is imported, as a type or when needed too", () => {
    expect(check(source, { fcn: ["sharp", "tinyglobby"] })).toEqual([]);
    expect(check(source, { fcn: ["sharp"] })).toEqual([expect.stringContaining('"tinyglobby" is not a dependency')]);
  });

  it("are nothing else, but for webgpu, whose import cannot be seen", () => {
    const more = { fcn: ["sharp", "tinyglobby", "picocolors", "webgpu"], tensor: ["sharp"] };
    expect(check(source, more)).toEqual([
      'packages/fcn/package.json: nothing in src imports "picocolors"',
      'packages/tensor/package.json: nothing in src imports "sharp"',
    ]);
  });
});

describe("browser-safe packages", () => {
  it("reports Node modules that are imported, with or without the prefix", () => {
    expect(check({ "tensor/src/io/f.ts": 'import { readFile } from "node:fs/promises";' })).toHaveLength(1);
    expect(check({ "kernels/src/f.ts": 'import fs from "fs";' })).toHaveLength(1);
    expect(check({ "tensor/src/f.ts": 'export * from "path";' })).toHaveLength(1);
    expect(check({ "tensor/src/f.ts": 'export const f = () => import("node:fs");' })).toHaveLength(1);
    expect(check({ "tensor/src/device/d.ts": 'import { create } from "webgpu";' })).toHaveLength(1);
  });

  it("lets their types be imported, and webgpu when needed", () => {
    const text = 'import type { Stats } from "node:fs";\nexport type T = typeof import("node:fs/promises");\n';
    expect(check({ "tensor/src/io/f.ts": text })).toEqual([]);
    expect(check({ "tensor/src/device/d.ts": 'export const load = () => import("webgpu");' })).toEqual([]);
  });
});

describe("WebGPU at one place", () => {
  it.each([
    ["export function f(b: GPUBuffer) {}", "GPUBuffer"],
    ["export const usage = GPUBufferUsage.STORAGE;", "GPUBufferUsage"],
    ["export const g = navigator.gpu;", "navigator.gpu"],
    ["export const g = globalThis.navigator?.gpu;", "navigator.gpu"],
    ['export const w = () => import("webgpu");', "webgpu"],
  ])("%s", (text, name) => {
    expect(check({ "tensor/src/ops/a.ts": text })).toEqual([expect.stringContaining(`:1: ${name} outside`)]);
    expect(check({ "tensor/src/device/a.ts": text })).toEqual([]);
  });

  it("lets comments, strings and other names speak of it", () => {
    const text = '// a GPUBuffer\nexport const s = "GPUDevice";\nexport const gpu = { gpu: 1 }.gpu;\n';
    expect(check({ "tensor/src/ops/a.ts": text })).toEqual([]);
  });
});

describe("file length", () => {
  it("allows 320 lines", () => {
    const lines = (count: number) => "export {};\n".repeat(count);
    expect(check({ "kernels/src/a.ts": lines(320) })).toEqual([]);
    expect(check({ "kernels/src/a.ts": lines(321) })).toEqual([expect.stringContaining("321 lines")]);
  });
});
