import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { findChromium } from "../../scripts/lib/chromium.mjs";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** The studio as it is built, on a server of its own, in a browser of its own. */
export interface StudioPage {
  readonly browser: Browser;
  /** Opens the page as a new visitor does; whatever it throws is in `problems`. */
  open(options?: BrowserContextOptions): Promise<Page>;
  readonly problems: string[];
  close(): Promise<void>;
}

/**
 * Builds the studio and serves it.
 *
 * @param flags what Chromium is started with
 */
export async function openStudio(flags: readonly string[]): Promise<StudioPage> {
  const folder = await mkdtemp(join(tmpdir(), "fcn-studio-"));
  const root = fileURLToPath(new URL("../../studio", import.meta.url));
  const configFile = join(root, "vite.config.js");
  await build({ root, configFile, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  const server = createServer(async ({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const body = await readFile(join(folder, name)).catch(() => undefined);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": TYPES[extname(name)] ?? "image/jpeg" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await chromium.launch({ executablePath: findChromium(), args: [...flags] });
  const problems: string[] = [];
  return {
    browser,
    problems,
    async open(options = {}) {
      const context = await browser.newContext({ serviceWorkers: "block", ...options });
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(`http://localhost:${port}/`);
      return page;
    },
    async close() {
      await browser.close();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
