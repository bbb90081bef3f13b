import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OutputChunk } from "rolldown";
import { describe, expect, it } from "vitest";
import { bundle } from "./support/bundle.js";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  name: string;
  exports: Record<string, { types: string; default: string }>;
  bin?: Record<string, string>;
}

const manifests = readdirSync(join(root, "packages")).map((folder) => {
  const path = join(root, "packages", folder);
  return { path, manifest: JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest };
});
const entries = manifests.flatMap(({ manifest }) =>
  Object.keys(manifest.exports).map((subPath) => manifest.name + subPath.slice(1)),
);

/** Names that a browser must load before the entry runs: the static imports of the entry and of the chunks it needs. */
function staticImports(chunks: OutputChunk[]): string[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const seen = new Set<string>();
  const queue = chunks.filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    queue.push(...(byName.get(name)?.imports ?? []));
  }
  return [...seen].filter((name) => !byName.has(name));
}

describe("a bundle for browsers", () => {
  it.each(entries)("of %s loads no module of Node at its start", async (name) => {
    const { chunks, warnings } = await bundle(`export * from ${JSON.stringify(name)};`);
    expect(warnings).toEqual([]);
    expect(chunks.find((chunk) => chunk.isEntry)?.exports.length).toBeGreaterThan(0);
    expect(staticImports(chunks)).toEqual([]);
  });

  it("would show one that does", async () => {
    const { chunks } = await bundle(
      'import { readFileSync } from "node:fs";\nexport const f = () => readFileSync("x");',
    );
    expect(staticImports(chunks)).toEqual(["node:fs"]);
  });
});

describe.each(manifests)("$manifest.name", ({ path, manifest }) => {
  it("has every file that its package.json names", () => {
    const targets = Object.values(manifest.exports).flatMap((target) => [target.types, target.default]);
    const missing = [...targets, ...Object.values(manifest.bin ?? {})].filter((file) => !existsSync(join(path, file)));
    expect(missing).toEqual([]);
  });
});
