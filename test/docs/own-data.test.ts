import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../packages/fcn/src/cli/main.js";
import { temporaryFolder } from "../fcn/data/trees.js";
import { writeTinyData } from "../fcn/training/tinyData.js";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const guide = readFileSync(join(repository, "docs/guide/own-data.md"), "utf8");
const cwd = await temporaryFolder("fcn-guide");
await writeTinyData(join(cwd, "photos"), 6);
symlinkSync(join(repository, "node_modules"), join(cwd, "node_modules"));

/** What stands in blocks of a language, in their order. */
function blocks(language: string): string[] {
  return [...guide.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name, text]) =>
    name === language ? [text ?? ""] : [],
  );
}

/** As long as it takes to see that it works. */
const shortened = (text: string): string =>
  text.replace(/(--epochs |epochs: )\d+/, (_, option: string) => `${option}2`);

function node(args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8", timeout: 100_000 });
  return { code: status, out: stdout, err: stderr };
}

const commands = blocks("sh")
  .join("")
  .trim()
  .split("\n")
  .filter((line) => line.startsWith("npx fcn "));
const known = createProgram("0").commands.map((command) => command.name());

describe("the guide to own data", () => {
  it("trains, resumes, measures and predicts by commands", () => {
    const names = commands.map((line) => line.split(" ")[2]);
    expect(names).toEqual(["doctor", "data", "train", "train", "train", "eval", "predict"]);
  });

  it.each(commands.filter((line) => known.includes(line.split(" ")[2] ?? "")))("%s", (line) => {
    const args = shortened(line).split(" ").slice(2);
    const { code, out, err } = node([join(repository, "packages/fcn/bin/fcn.js"), ...args]);
    expect(err).not.toContain("error:");
    expect(code).toBe(0);
    expect(out).not.toBe("");
  });

  it("names the files that are there afterwards", () => {
    const rows = [...guide.matchAll(/^\| `([\w./]+)` +\|/gm)].map(([, file]) => file ?? "");
    expect(rows).toHaveLength(7);
    for (const file of [...rows.map((row) => `run/${row}`), "sheet.png"])
      expect(existsSync(join(cwd, file)), file).toBe(true);
  });

  it("does the same from code", () => {
    const [code = ""] = blocks("ts");
    writeFileSync(join(cwd, "run.mjs"), shortened(code));
    const { code: status, out, err } = node(["run.mjs"]);
    expect(err).not.toMatch(/Error/);
    expect(status).toBe(0);
    expect(out).toMatch(/^mean IU 0\.\d+\n32x32, \d classes found\n$/);
  });
});
