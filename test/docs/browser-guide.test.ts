import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { expect, it } from "vitest";
import { photo } from "../fcn/data/trees.js";
import { bundle } from "../support/bundle.js";
import { onPage } from "../support/page.js";

const ORIGIN = "http://localhost";
const text = readFileSync(join(import.meta.dirname, "../../docs/guide/browser.md"), "utf8");
const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block as string);

async function weights(): Promise<Uint8Array> {
  const device = await createDevice({ quiet: true });
  const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 1 });
  const bytes = await fcn.encodeModel(net, { classes: ["ground", "ball", "wall"] });
  device.destroy();
  return bytes;
}

const PAGE = `<!doctype html><title>test</title><img src="photo.jpg">${"<canvas></canvas>".repeat(3)}`;

/** Sets the title of a page, and keeps those before. */
const KEEP_TITLES = `globalThis.titles = [];
new MutationObserver(() => titles.push(document.title)).observe(document.head, { childList: true, subtree: true });`;

/** The titles that a module gives a page that holds a photograph and canvases, beside a file of weights. */
async function titlesAfter(code: string): Promise<{ titles: string[]; sizes: string; problems: string[] }> {
  const chunks = await bundle(code);
  const files = new Map<string, string | Buffer>(chunks.map((chunk) => [`/${chunk.fileName}`, chunk.code]));
  const entry = chunks.find((chunk) => chunk.isEntry)?.fileName;
  files.set("/best.safetensors", Buffer.from(await weights()));
  files.set("/photo.jpg", await photo(48, 64, 5).jpeg().toBuffer());
  return onPage(async (page) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.route(`${ORIGIN}/**`, (route) => {
      const body = files.get(new URL(route.request().url()).pathname);
      const contentType = typeof body === "string" ? "text/javascript" : "application/octet-stream";
      if (body !== undefined) return route.fulfill({ contentType, body });
      return route.fulfill({ contentType: "text/html", body: PAGE });
    });
    await page.goto(`${ORIGIN}/`);
    await page.evaluate(KEEP_TITLES);
    await page.evaluate(`import("/${entry}")`);
    const sizes = await page.evaluate<string>(
      "[...document.querySelectorAll('canvas')].map(({ width, height }) => width + 'x' + height).join()",
    );
    return { titles: await page.evaluate<string[]>("titles"), sizes, problems };
  });
}

it("a page predicts, draws, trains and goes on by the samples of the guide", async () => {
  expect(blocks).toHaveLength(5);
  expect(await titlesAfter(blocks.join(""))).toEqual({
    titles: [
      "64 x 48, 3072 labels",
      "64 x 48",
      "3,48,64",
      "6 steps, 3 losses, trained.safetensors",
      "goes on after step 6",
    ],
    sizes: "64x48,64x48,64x48",
    problems: [],
  });
}, 120_000);
