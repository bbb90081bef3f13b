/**
 * Takes pictures of the built studio (`npm run studio -- --build`) while the example learns, each view at three widths,
 * light and dark, into out/studio, and those of the README and the guide into docs/images.
 *
 *   node scripts/studio-pictures.mjs [--steps N]
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { preview } from "vite";
import { CHROMIUM_FLAGS, findChromium } from "./lib/chromium.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "out/studio");
const WIDTHS = { wide: [1280, 800], middle: [768, 1024], narrow: [375, 812] };
const VIEWS = ["Regions", "Outline", "Unsure"];

const { values } = parseArgs({ options: { steps: { type: "string", default: "60" } } });
mkdirSync(out, { recursive: true });
const server = await preview({ root: join(root, "studio"), logLevel: "error" });
const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
const start = performance.now();
await page.goto(server.resolvedUrls.local[0]);
const stepOf = async () => {
  const text = await page.getByRole("switch", { name: "Training" }).textContent();
  return Number(/Step ([\d,]+)/.exec(text ?? "")?.[1]?.replaceAll(",", "") ?? 0);
};
await page.getByRole("img", { name: /^Prediction for/ }).waitFor({ timeout: 300_000 });
console.log(`first prediction after ${((performance.now() - start) / 1000).toFixed(1)} s`);
while ((await stepOf()) < Number(values.steps)) await page.waitForTimeout(200);
console.log(`${await stepOf()} steps after ${((performance.now() - start) / 1000).toFixed(1)} s`);
await page.getByRole("switch", { name: "Training" }).click();
for (const [width, [w, h]] of Object.entries(WIDTHS)) {
  await page.setViewportSize({ width: w, height: h });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(1500);
    const shot = (name) => page.screenshot({ path: join(out, `${width}-${colorScheme}-${name}.png`) });
    if (width === "wide") {
      for (const view of VIEWS) {
        await page.getByRole("radio", { name: view }).check({ force: true });
        await page.waitForTimeout(2500);
        await shot(view.toLowerCase());
      }
      await page.getByRole("radio", { name: "Regions" }).check({ force: true });
      await page.waitForTimeout(2500);
    }
    for (const panel of width === "wide" ? ["Learn", "Take away"] : ["Paint", "Images", "Learn", "Take away"]) {
      await page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: panel }).click();
      await page.waitForTimeout(300);
      await shot(panel.toLowerCase().replace(" ", "-"));
    }
    await page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: "Learn" }).click();
  }
}
await browser.close();
await server.close();
for (const [from, to] of Object.entries({ learn: "studio", unsure: "studio-unsure" })) {
  const picture = join(root, `docs/images/${to}.png`);
  await sharp(join(out, `wide-light-${from}.png`))
    .png({ palette: true, quality: 90, effort: 10 })
    .toFile(picture);
}
console.log(`pictures are in ${out}; two of them in docs/images`);
