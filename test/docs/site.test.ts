import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const site = join(root, "out/docs");
const page = (path: string): string => readFileSync(join(site, `${path}.html`), "utf8").replace(/<[^>]+>/g, "");

// A link to a page that is missing fails the build, and so does a warning of TypeDoc.
beforeAll(() => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/docs.mjs"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`scripts/docs.mjs ended with ${status}:\n${stdout}\n${stderr}`);
}, 400_000);

describe("the site of the documentation", () => {
  it("has a page for each export", () => {
    for (const name of ["tensor/functions/conv2d", "tensor/functions/relu", "core/functions/predict"])
      expect(existsSync(join(site, `docs/reference/api/@fcn/${name}.html`)), name).toBe(true);
  });

  it("shows every command with its options", () => {
    const text = page("docs/reference/command-line");
    for (const command of ["fcn doctor", "fcn data check", "fcn weights fetch", "fcn train"])
      expect(text).toContain(command);
    expect(text).toContain("--freeze-batch-norm");
  });

  it("explains every error code", () => {
    const source = readFileSync(join(root, "packages/kernels/src/errorCodes.ts"), "utf8");
    const codes = [...source.matchAll(/^ {2}\| "([\w-]+)"/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(50);
    const text = page("docs/reference/error-codes");
    for (const code of codes) expect(text).toContain(code);
  });
});
