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
const [predicts = "", trains = ""] = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block);

async function weights(): Promise<Uint8Array> {
  const device = await createDevice({ quiet: true });
  const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 1 });
  const bytes = await fcn.encodeModel(net, { classes: ["ground", "ball", "wall"] });
  device.destroy();
  return bytes;
}

/** What the title of a page becomes that runs a module beside a photograph and a file of weights. */
async function titleAfter(code: string): Promise<{ title: string; width: number; problems: string[] }> {
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
      return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>test</title><canvas></canvas>" });
    });
    await page.goto(`${ORIGIN}/`);
    await page.evaluate(`import("/${entry}")`);
    const width = await page.evaluate<number>("document.querySelector('canvas').width");
    return { title: await page.title(), width, problems };
  });
}

it("a page predicts by the first sample of the guide, and trains by both", async () => {
  expect(await titleAfter(predicts)).toEqual({ title: "64 x 48", width: 64, problems: [] });
  expect(await titleAfter(`${predicts}${trains}`)).toEqual({ title: "true true", width: 64, problems: [] });
}, 120_000);
