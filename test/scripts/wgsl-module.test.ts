import { mkdtemp, readFile, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { writeIfChanged } from "../../scripts/lib/files.mjs";
import { wgslModule } from "../../scripts/lib/wgsl-module.mjs";
import { stripWgsl } from "../../scripts/lib/wgsl-strip.mjs";

/** Evaluates the generated module as a program would see it. */
async function evaluate(text: string): Promise<Record<string, { name: string; source: string }>> {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(outputText)}`);
}

describe("wgslModule", () => {
  it("names shaders by path without extension, sorted", async () => {
    const text = wgslModule([
      { path: "pool/max-gradient.wgsl", source: "b" },
      { path: "conv2d/forward.wgsl", source: "a" },
    ]);
    expect(Object.entries(await evaluate(text))).toEqual([
      ["conv2dForward", { name: "conv2d/forward", source: "a" }],
      ["poolMaxGradient", { name: "pool/max-gradient", source: "b" }],
    ]);
  });

  it("carries any source unchanged but for comments and space", async () => {
    const source = fc.string({ unit: fc.constantFrom("`", "$", "{", "}", "\\", "\n", "a", "é", '"', "/", "*") });
    await fc.assert(
      fc.asyncProperty(source, async (wgsl) => {
        expect((await evaluate(wgslModule([{ path: "a.wgsl", source: wgsl }]))).a?.source).toBe(stripWgsl(wgsl));
      }),
      { seed: 7 },
    );
  });
});

describe("writeIfChanged", () => {
  it("leaves an equal file alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fcn-files-"));
    try {
      const path = join(folder, "x.ts");
      expect(writeIfChanged(path, "one")).toBe(true);
      const past = new Date(1_000_000);
      await utimes(path, past, past);
      expect(writeIfChanged(path, "one")).toBe(false);
      expect((await stat(path)).mtime).toEqual(past);
      expect(writeIfChanged(path, "two")).toBe(true);
      expect(await readFile(path, "utf8")).toBe("two");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
