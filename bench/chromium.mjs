/**
 * Training steps and predictions of FCN-8s (small) in Chromium on SwiftShader, with and without kernels through
 * subgroups, in turns on one page: what the class of that adapter (packages/kernels/src/variants.ts) rests on.
 *
 *   npm run bench -- chromium [--rounds N]
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS, findChromium } from "../scripts/lib/chromium.mjs";
import { median } from "./lib/median.mjs";
import { markdownTable } from "./lib/table.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const WAYS = { subgroups: ["winograd", "subgroup", "register"], "as chosen": undefined, registers: ["register"] };

/** Runs on the page: milliseconds of training steps and of predictions, once everything is compiled. */
const ON_PAGE = `
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
const preprocessing = { channelOrder: "rgb", mean: [124, 116, 104], std: [58, 57, 57] };
const picture = (side) => ({ data: Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7) % 255), height: side, width: side, channels: 3 });
globalThis.measure = async (variants) => {
  const device = await createDevice({ quiet: true, ...(variants ? { variants } : {}) });
  const model = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 1 });
  const labels = Uint8Array.from({ length: 64 * 64 }, (_, i) => i % 3);
  const data = [1, 2, 3, 4].map((n) => ({ name: String(n), image: picture(64), labels }));
  const steps = [];
  let since = performance.now();
  const onProgress = () => {
    steps.push(performance.now() - since);
    since = performance.now();
  };
  await fcn.train({ model, data, preprocessing, numClasses: 3, batchSize: 4, steps: 8, learningRate: 1e-3, readEvery: 1, onProgress });
  const predictions = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await fcn.predict(model, picture(256), { preprocessing });
    predictions.push(performance.now() - start);
  }
  device.destroy();
  return { step: steps.slice(3), prediction: predictions.slice(2) };
};`;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
const { outputFiles } = await build({
  stdin: { contents: ON_PAGE, resolveDir: root },
  bundle: true,
  format: "esm",
  platform: "browser",
  external: ["node:*", "sharp", "webgpu", "tinyglobby", "cli-progress", "commander"],
  write: false,
});
const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
const page = await browser.newPage();
await page.route("http://localhost/**", (route) => {
  const isCode = new URL(route.request().url()).pathname === "/code.js";
  if (isCode) return route.fulfill({ contentType: "text/javascript", body: outputFiles[0].text });
  return route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
});
await page.goto("http://localhost/");
await page.evaluate('import("/code.js")');
const times = Object.fromEntries(Object.keys(WAYS).map((way) => [way, { step: [], prediction: [] }]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [way, variants] of Object.entries(WAYS)) {
    const found = await page.evaluate((own) => globalThis.measure(own), variants);
    for (const [kind, own] of Object.entries(found)) times[way][kind].push(...own);
  }
}
await browser.close();
const base = times.subgroups;
const rows = Object.entries(times).map(([way, own]) => [
  way,
  ...["step", "prediction"].map((kind) => `${(median(own[kind]) / median(base[kind])).toFixed(2)}`),
  WAYS[way]?.join(", ") ?? "the class of the adapter",
]);
console.log(markdownTable(["kernels", "step of 4 x 64x64", "prediction of 256x256", "variants"], rows));
console.log("\nMedian times as shares of those with subgroups.");
