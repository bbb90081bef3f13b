import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { findChromium } from "../../scripts/lib/chromium.mjs";
import { serve } from "../support/serve.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Where the studio is built. */
export const DIST = join(root, "studio/dist");
const MINUTE = 60_000;

/** A page without WebGPU: what needs no net has to work, and nothing slows the page down. */
export const NO_NET = [
  "--no-sandbox",
  "--disable-features=WebGPU",
  "--no-first-run",
  "--disable-background-networking",
];

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

/** An image of one colour, as a file dialogue or a drop gives it. */
export async function image(name: string, [height, width]: readonly [number, number] = [120, 160]): Promise<GivenFile> {
  const background = { r: 90, g: 120, b: 60 };
  const buffer = await sharp({ create: { height, width, channels: 3, background } })
    .png()
    .toBuffer();
  return { name, mimeType: "image/png", buffer };
}

/** Draws over the surface from corner to corner of a list of places, each 0 to 1. */
export async function draw(page: Page, places: readonly (readonly [number, number])[]): Promise<void> {
  const box = await page.getByRole("application", { name: "Painting surface" }).boundingBox();
  if (box === null) throw new Error("the painting surface is not shown");
  for (const [i, [x, y]] of places.entries()) {
    await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
}
