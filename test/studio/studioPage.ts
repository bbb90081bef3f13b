import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/lib/chromium.mjs";
import { serve } from "../support/serve.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Where the studio is built. */
export const DIST = join(root, "studio/dist");
const MINUTE = 60_000;

/** The studio as it is built, on a server of its own, in a browser of its own. */
export interface StudioPage {
  readonly browser: Browser;
  /** Opens the page as a new visitor does; whatever it throws is in `problems`. */
  open(options?: BrowserContextOptions): Promise<Page>;
  readonly problems: string[];
  close(): Promise<void>;
}

/**
 * Builds the studio with its example, and serves it below a path.
 *
 * @param flags what Chromium is started with
 */
export async function openStudio(flags: readonly string[]): Promise<StudioPage> {
  const args = ["scripts/studio.mjs", "--build"];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const { url, stop } = await serve(DIST, "/below/a/path/");
  const browser = await chromium.launch({ executablePath: findChromium(), args: [...flags] });
  const problems: string[] = [];
  return {
    browser,
    problems,
    async open(options = {}) {
      const context = await browser.newContext({ serviceWorkers: "block", ...options });
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(url);
      return page;
    },
    async close() {
      await browser.close();
      await stop();
    },
  };
}

export interface GivenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Presses a button that asks for files, and gives it these. */
export async function choose(page: Page, button: string, files: readonly GivenFile[]): Promise<void> {
  const dialogue = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: button, exact: true }).first().click();
  await (await dialogue).setFiles([...files]);
}

/** Presses a button that gives a file, and returns its bytes. */
export async function takeAway(page: Page, button: string): Promise<Buffer> {
  const download = page.waitForEvent("download", { timeout: 2 * MINUTE });
  await page.getByRole("button", { name: button }).click();
  return readFile(await (await download).path());
}

/** Shows a panel. */
export const panel = (page: Page, name: string): Promise<void> =>
  page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name }).click();
