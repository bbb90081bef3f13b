import { mkdtemp, readFile, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeIfChanged } from "../../scripts/lib/files.mjs";
import { wgslModule } from "../../scripts/lib/wgsl-module.mjs";

/** Evaluates the generated module as a program would see it. */
function evaluate(text: string): Record<string, string> {
  const body = text.replace("export const wgsl =", "return").replace(" as const;", ";");
  return new Function(body)() as Record<string, string>;
}

describe("wgslModule", () => {
  it("keys shaders by path without extension, sorted", () => {
    const text = wgslModule([
      { path: "pool/max.wgsl", source: "b" },
      { path: "conv2d/forward.wgsl", source: "a" },
    ]);
    expect(Object.entries(evaluate(text))).toEqual([
      ["conv2d/forward", "a"],
      ["pool/max", "b"],
    ]);
  });

  it("carries any source unchanged", () => {
    const source = fc.string({ unit: fc.constantFrom("`", "$", "{", "}", "\\", "\n", "a", "é", '"') });
    fc.assert(
      fc.property(source, (wgsl) => {
        expect(evaluate(wgslModule([{ path: "a.wgsl", source: wgsl }]))).toEqual({ a: wgsl });
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
