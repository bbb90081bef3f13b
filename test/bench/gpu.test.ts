import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { isWrong } from "../../bench/gpu/correctness.mjs";
import { runSection } from "../../bench/gpu.mjs";

const RUN = fileURLToPath(new URL("../../bench/run.mjs", import.meta.url));

it("measures what the device is and does in a short time, and writes it down", () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-gpu-"));
  try {
    const out = join(folder, "short");
    const given = ["gpu", "--minutes", "0.3", "--section", "peaks,correctness,rows", "--out", out];
    execFileSync(process.execPath, [RUN, ...given], { stdio: "pipe" });
    const { sections, adapter } = JSON.parse(readFileSync(`${out}.json`, "utf8"));
    expect(Object.keys(sections)).toEqual(["facts", "peaks", "correctness", "rows"]);
    expect(adapter.vendor).not.toBe("");
    expect(sections.facts.limits.maxBufferSize).toBeGreaterThan(2 ** 20);
    expect(sections.facts.capabilities.bindingLimit).toBeGreaterThan(1024);
    expect(sections.peaks.error).toBeUndefined();
    for (const value of [sections.peaks.gflops, sections.peaks.copyGBs]) expect(value).toBeGreaterThan(0);
    expect(sections.correctness.checks.length).toBeGreaterThan(0);
    expect(sections.correctness.checks.filter(isWrong)).toEqual([]);
    expect(sections.rows.rows[0].tiles[0].ms).toBeGreaterThan(0);
    const markdown = readFileSync(`${out}.md`, "utf8");
    expect(markdown).toContain("## Every tile against float64");
    expect(/SOFTWARE adapter/.test(markdown)).toBe(sections.facts.software);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("a section that fails, or never answers, keeps what it found and says so", async () => {
  const failed: Record<string, unknown> = {};
  const fails = ({ result }: { result: Record<string, unknown> }) => {
    result.found = 1;
    throw new Error("the kernel does not compile");
  };
  await runSection({ run: async (context: never) => fails(context) }, failed, {}, 1000);
  expect(failed).toMatchObject({ found: 1, error: expect.stringContaining("the kernel does not compile") });
  const silent: Record<string, unknown> = {};
  await runSection({ run: () => new Promise(() => {}) }, silent, {}, 1, 1);
  expect(silent.error).toContain("no answer");
});

it("counts as wrong what failed, is no number, or differs by more than rounding", () => {
  expect([{ error: 1e-7 }, { error: 1e-3 }, { error: Number.NaN }, { failure: "lost" }].map(isWrong)).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
