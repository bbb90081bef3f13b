/** A folder of files as a site, opened in Chromium with WebGPU. */
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS, findChromium } from "../lib/chromium.mjs";

/** WebGPU is there on pages of this machine only; no server is started, the files are handed to the browser. */
const ORIGIN = "http://localhost";
const TYPES = { html: "text/html", js: "text/javascript", mjs: "text/javascript", css: "text/css" };

/** The value of `globalThis.result` on the page index.html of a folder. Throws where the page does. */
export async function openPage(folder) {
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.route(`${ORIGIN}/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      const file = join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
      if (!existsSync(file) || !statSync(file).isFile()) return route.fulfill({ status: 404 });
      const contentType = TYPES[file.split(".").at(-1)] ?? "application/octet-stream";
      return route.fulfill({ contentType, body: await readFile(file) });
    });
    await page.goto(`${ORIGIN}/`);
    await page.waitForFunction("globalThis.result !== undefined", undefined, { timeout: 60_000 }).catch((error) => {
      throw new Error(problems[0] ?? error.message);
    });
    const result = await page.evaluate("globalThis.result");
    if (problems.length > 0) throw new Error(problems[0]);
    return result;
  } finally {
    await browser.close();
  }
}
