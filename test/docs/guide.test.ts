import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sampleProblems, writeModule } from "../support/compiled.js";

const root = join(import.meta.dirname, "../..");
const guide = join(root, "docs/guide");

/** What stands in the blocks of a page in a language, one after another. */
function blocks(page: string, language: string): string {
  const text = readFileSync(join(guide, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .flatMap(([, name, block]) => (name === language ? [block] : []))
    .join("");
}

// The others have tests of their own, which make the files that those pages speak of.
const pages = readdirSync(guide).filter((page) => !["own-data.md", "d2l.md"].includes(page) && blocks(page, "ts"));

// There the packages are found by their names.
const folder = mkdtempSync(join(root, "node_modules", ".guide-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(folder, { recursive: true });

const fileOf = (page: string): string => join(folder, page.replace(/\.md$/, ".ts"));
for (const page of pages) writeFileSync(fileOf(page), blocks(page, "ts"));

describe("the samples of the guide", () => {
  it("are TypeScript without faults", () => {
    expect(sampleProblems(pages.map(fileOf))).toEqual([]);
  });

  it.each(pages)("%s prints what it says, from its samples in their order", (page) => {
    const file = writeModule(fileOf(page).replace(/\.ts$/, ".mjs"), blocks(page, "ts"));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 100_000 });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toBe(blocks(page, "text"));
  });
});
