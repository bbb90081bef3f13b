import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { declarationProblems } from "./support/publicTypes.js";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

const entries = readdirSync(packages).flatMap((folder) => {
  const manifest = JSON.parse(readFileSync(join(packages, folder, "package.json"), "utf8"));
  const targets = Object.entries(manifest.exports as Record<string, { types: string }>);
  return targets.flatMap(([name, { types }]) => (name === "./internal" ? [] : [join(packages, folder, types)]));
});

it("every type of a public signature is exported, and none is of WebGPU or Node", () => {
  expect(declarationProblems(entries)).toEqual([]);
});

it("types that are not are found", () => {
  const folder = mkdtempSync(join(tmpdir(), "fcn-types-"));
  try {
    const entry = join(folder, "index.d.ts");
    const lines = [
      "export {};",
      "interface Hidden { readonly device: GPUDevice }",
      "export interface Shown<T> extends Hidden { readonly list: Map<T, Promise<Shown<T>>> }",
      'export declare function f(file: import("node:fs").Stats): Hidden;',
    ];
    writeFileSync(entry, lines.join("\n"));
    expect(declarationProblems([entry])).toEqual([
      expect.stringContaining("node:fs"),
      expect.stringContaining("index.d.ts names GPUDevice"),
      "Shown names Hidden, which no entry exports",
      "f names Hidden, which no entry exports",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
