import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { findChromium } from "../scripts/lib/chromium.mjs";
import { bundle } from "./support/bundle.js";
import { type Exercise, exercise } from "./support/exercise.js";

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** WebGPU is there on pages of this machine only; the pages themselves come from memory. */
const ORIGIN = "http://localhost";

/** Runs the exercise on a page. */
async function runOn(page: Page): Promise<Exercise> {
  const source = fileURLToPath(new URL("support/exercise.ts", import.meta.url));
  const { chunks } = await bundle(`export { exercise } from ${JSON.stringify(source)};`);
  const files = new Map(chunks.map((chunk) => [`/${chunk.fileName}`, chunk.code]));
  const entry = chunks.find((chunk) => chunk.isEntry)?.fileName;
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.route(`${ORIGIN}/**`, (route) => {
    const body = files.get(new URL(route.request().url()).pathname);
    if (body !== undefined) return route.fulfill({ contentType: "text/javascript", body });
    return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>test</title>" });
  });
  await page.goto(`${ORIGIN}/`);
  const result = await page.evaluate(`import("/${entry}").then(({ exercise }) => exercise())`);
  expect(problems).toEqual([]);
  return result as Exercise;
}

function largestShare(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const range = Math.max(...want) - Math.min(...want);
  return Math.max(...want.map((value, i) => Math.abs(value - (got[i] as number)))) / range;
}

describe("in a browser", () => {
  it("a net computes and trains as in Node", async () => {
    const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
    const got = await browser
      .newPage()
      .then(runOn)
      .finally(() => browser.close());
    const want = await exercise();
    expect(want.runtime).toBe("dawn-node");
    expect(got.runtime).toBe("browser");
    expect(largestShare(got.logits, want.logits)).toBeLessThan(1e-4);
    expect(got.loss).toBeCloseTo(want.loss, 4);
    expect(largestShare(got.trained, want.trained)).toBeLessThan(1e-4);
    expect(largestShare(got.trained, want.logits)).toBeGreaterThan(1e-3);
    expect(got.onnxBytes).toBe(want.onnxBytes);
  });
});
