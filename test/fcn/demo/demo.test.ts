import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coastFinding, sideAccuracy } from "../../../packages/fcn/src/demo/scores.js";
import type { DemoSummary } from "../../../packages/fcn/src/demo/summary.js";
import { formatSeconds } from "../../../packages/fcn/src/progress/stages.js";
import { formatTable } from "../../../packages/fcn/src/report/table.js";

const FCN = fileURLToPath(new URL("../../../packages/fcn/bin/fcn.js", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function fcn(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [FCN, ...args]);
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-demo-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("fcn demo", () => {
  it("goes the whole way in two steps a stage and writes a report that needs nothing from outside", async () => {
    const out = join(folder, "run");
    const { code, out: json, err } = await fcn("demo", "--steps", "2", "--seed", "3", "--out", out, "--json");
    expect(err).not.toContain("error:");
    expect(code).toBe(0);
    const summary = JSON.parse(json) as DemoSummary;
    expect(summary.stages.map((stage) => stage.model)).toEqual(["fcn32s-small", "fcn16s-small", "fcn8s-small"]);
    expect(summary.baseline.class).toBe("water");
    expect(summary.baseline.pixelAccuracy).toBeCloseTo(summary.baseline.meanIU * 3, 6);
    expect(summary.reloaded.identicalLabels).toBe(true);
    for (const stage of summary.stages) {
      expect(stage.meanIU).toBeGreaterThan(0);
      expect(stage.pixelAccuracy).toBeLessThanOrEqual(1);
    }
    const wanted = summary.files.map((file) => file.slice(out.length + 1)).sort();
    expect((await readdir(out)).sort()).toEqual(wanted);
    if (summary.adapter.software) expect(err.match(/running on the software adapter/g)).toHaveLength(1);

    const html = await readFile(join(out, "report.html"), "utf8");
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    for (const source of html.matchAll(/src="([^"]*)"/g)) expect(source[1]).toMatch(/^data:image\/png;base64,/);
    expect(html.match(/<svg/g)).toHaveLength(2);
    for (const stage of summary.stages) expect(html).toContain(stage.model);
    expect(html).toContain(summary.adapter.description.split(" ")[0]);

    const csv = (await readFile(join(out, "metrics.csv"), "utf8")).trim().split("\n");
    expect(csv).toHaveLength(1 + 3 * 2);
    expect(new Set(csv.map((line) => line.split(",").length)).size).toBe(1);

    for (const image of ["panels.png", "predicted.png"]) {
      expect((await sharp(join(out, image)).metadata()).format).toBe("png");
    }
    const metadata = await io.readSafetensorsMetadata(join(out, "fcn8s-small.safetensors"));
    expect(JSON.parse(metadata.classes ?? "")).toEqual(["water", "lowland", "mountain"]);
  });

  it.each([
    [["--steps", "0"], '--steps is "0"'],
    [["--steps", "many"], '--steps is "many"'],
    [["--seed", "-1"], '--seed is "-1"'],
    [["--seed", "1.5"], '--seed is "1.5"'],
    [["--backbone", "resnet"], '--backbone is "resnet"'],
    [["--colour"], "unknown option '--colour'"],
  ])("returns %j with one clear line and exit code 2", async (args, text) => {
    const { code, out, err } = await fcn("demo", ...args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(text);
    expect(err.trim().split("\n")).toHaveLength(2);
  });

  it("refuses an --out that is a file", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    const { code, err } = await fcn("demo", "--out", path);
    expect(code).toBe(2);
    expect(err).toContain("is not a folder");
  });
});

describe("what the demo says", () => {
  it("counts both kinds of land as one side of the coast", () => {
    const confusion = [
      [5, 1, 0],
      [2, 3, 4],
      [0, 1, 4],
    ];
    expect(sideAccuracy(confusion, (label) => (label === 0 ? 0 : 1))).toBe(17 / 20);
  });

  it("claims the paper's finding only when every finer net does better", () => {
    expect(coastFinding([0.5, 0.6, 0.7])).toMatch(/^Finer strides drew better coasts/);
    expect(coastFinding([0.5, 0.7, 0.7])).toMatch(/did not show/);
    expect(coastFinding([0.7, 0.6, 0.8])).toMatch(/did not show.*70.0 %, 60.0 %, 80.0 %/);
  });

  it("writes times and tables", () => {
    expect([0.2, 59.4, 65, 3600].map(formatSeconds)).toEqual([
      "0 s left",
      "59 s left",
      "1 min 05 s left",
      "60 min 00 s left",
    ]);
    expect(formatTable({ header: ["net", "a"], rows: [["x", "1.0"]] })).toBe("net    a\nx    1.0");
  });
});
