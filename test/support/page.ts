import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import type { OutputChunk } from "rolldown";
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
  return callOn(page, chunks, name, ...args);
}

/** Calls a function that bundled code exports on a page. */
export async function callOn<Result>(
  page: Page,
  chunks: readonly OutputChunk[],
  name: string,
  ...args: readonly unknown[]
): Promise<Result> {
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

/** A browser that has WebGPU, which whoever opens it closes. */
export const launch = (): Promise<Browser> => chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });

/** A page of a browser that has WebGPU and is closed afterwards. */
export async function onPage<Result>(use: (page: Page, browser: Browser) => Promise<Result>): Promise<Result> {
  const browser = await launch();
  return browser
    .newPage()
    .then((page) => use(page, browser))
    .finally(() => browser.close());
}

/** Kills the GPU process of a browser. */
export async function killGpu(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const gpu = processInfo.find(({ type }) => type === "GPU");
  if (gpu === undefined) throw new Error("the browser has no GPU process");
  process.kill(gpu.id, "SIGKILL");
}

/** Waits until a page says that it has made so many steps. */
export const stepsOn = async (page: Page, least: number): Promise<void> => {
  await page.waitForFunction((from) => ((globalThis as { step?: number }).step ?? 0) >= from, least, {
    timeout: 90_000,
  });
};
