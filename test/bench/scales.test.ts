import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../fcn/data/trees.js";

const root = join(import.meta.dirname, "../..");

it("trains and scores the five ways with scales", async () => {
  const stem = join(await temporaryFolder("fcn-scales"), "scales");
  const args = ["bench/scales.mjs", "--steps", "2", "--rounds", "1", "--out", stem];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const { rows } = JSON.parse(readFileSync(`${stem}.json`, "utf8"));
  expect(rows.map(({ way }: { way: string }) => way)).toHaveLength(5);
  for (const { meanIU, sizes, seconds } of rows) {
    expect(meanIU).toBeGreaterThan(0);
    expect(sizes.small.objects + sizes.medium.objects + sizes.large.objects).toBeGreaterThan(20);
    expect(seconds.training).toBeGreaterThan(0);
  }
  expect(readFileSync(`${stem}.md`, "utf8")).toContain("| image pyramid | `fcn32s-resnet18` at scales 0.5, 1, 2 |");
}, 240_000);
