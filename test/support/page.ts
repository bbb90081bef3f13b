import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { CHROMIUM_FLAGS, findChromium } from "../../scripts/lib/chromium.mjs";
import { bundle } from "./bundle.js";

/** WebGPU is there on pages of this machine only; the pages themselves come from memory. */
const ORIGIN = "http://localhost";

/**
 * Calls a function of a module of this folder on a page; what goes in and out is JSON. Routes that the page has already
 * answer for what the page asks for besides.
 */
export async function runOn<Result>(
  page: Page,
  module: string,
  name: string,
  ...args: readonly unknown[]
): Promise<Result> {
  const source = fileURLToPath(new URL(`./${module}.ts`, import.meta.url));
  const chunks = await bundle(`export { ${name} } from ${JSON.stringify(source)};`);
  const files = new Map(chunks.map((chunk) => [`/${chunk.fileName}`, chunk.code]));
  const entry = chunks.find((chunk) => chunk.isEntry)?.fileName;
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.route(`${ORIGIN}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    const body = files.get(pathname);
    if (body !== undefined) return route.fulfill({ contentType: "text/javascript", body });
    if (pathname !== "/") return route.fallback();
    return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>test</title>" });
  });
  await page.goto(`${ORIGIN}/`);
  const list = args.map((arg) => JSON.stringify(arg)).join();
  const result = await page.evaluate(`import("/${entry}").then(({ ${name} }) => ${name}(${list}))`);
  expect(problems).toEqual([]);
  return result as Result;
}

/** A page of a browser that has WebGPU and is closed afterwards. */
export async function onPage<Result>(use: (page: Page, browser: Browser) => Promise<Result>): Promise<Result> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  return browser
    .newPage()
    .then((page) => use(page, browser))
    .finally(() => browser.close());
}
