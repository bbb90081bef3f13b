import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, noGrad } from "@fcn/tensor";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { HeldBack } from "../../../studio/src/learn/learner.js";
import type { Session } from "../../../studio/src/session/types.js";
import { bundle } from "../../support/bundle.js";
import { openOnnx } from "../../support/onnx.js";
import { onPage } from "../../support/page.js";

const studio = fileURLToPath(new URL("../../../studio", import.meta.url));
const example = join(studio, "public/generated/example");
const MINUTES = 60_000;

let code = "";
beforeAll(async () => {
  const { status, stderr } = spawnSync(process.execPath, [join(studio, "scripts/assets.mjs")], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const source = fileURLToPath(new URL("./learnerExercise.ts", import.meta.url));
  const [chunk, ...more] = await bundle(`import * as all from ${JSON.stringify(source)}; globalThis.exercise = all;`);
  // What only Node loads lies in other chunks, which no page asks for.
  code = chunk!.code;
  for (const { fileName, code: text } of more) files.set(`/${fileName}`, text);
}, 2 * MINUTES);

const files = new Map<string, string>();

/** Opens a page whose own address has the learner; it keeps what it stored over reloads. */
async function load(page: Page): Promise<void> {
  await page.route("http://localhost/**", (route) => {
    const { pathname } = new URL(route.request().url());
    const text = pathname === "/code.js" ? code : files.get(pathname);
    if (text !== undefined) return route.fulfill({ contentType: "text/javascript", body: text });
    const weights = /\/generated\/weights\/(.*)$/.exec(pathname)?.[1];
    if (weights) return route.fulfill({ body: readFileSync(join(studio, "public/generated/weights", weights)) });
    return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>learner</title>" });
  });
  await page.goto("http://localhost/");
  await page.evaluate('import("/code.js")');
}

const call = <Result>(page: Page, name: string, ...args: unknown[]): Promise<Result> =>
  page.evaluate(`exercise.${name}(${args.map((arg) => JSON.stringify(arg)).join()})`) as Promise<Result>;

const session = (): Session => JSON.parse(readFileSync(join(example, "session.json"), "utf8"));
const images = (): Record<string, number[]> =>
  Object.fromEntries(session().images.map(({ id }) => [id, [...readFileSync(join(example, `${id}.jpg`))]]));

describe("the learner on a page", () => {
  it(
    "gives away weights and ONNX that say the same in Node, and takes a net of three classes to four",
    async () => {
      const { id } = session().images[0]!;
      const out = await onPage(async (page) => {
        await load(page);
        await call(page, "begin", session(), images());
        await call(page, "untilStep", 20);
        await call(page, "halt");
        const shown = await call<{ height: number; width: number; colours: object }>(page, "shownColours");
        const got = {
          shown,
          labels: await call<number[]>(page, "labels", id),
          weights: await call<number[]>(page, "weights"),
          onnx: await call<number[]>(page, "onnx"),
        };
        await call(page, "addPaintedClass");
        const four = await call<number[]>(page, "weights");
        expect(await call<string[]>(page, "emptyLastClass")).toEqual([
          'The class "cloud" has no stroke left to learn from, so that the net forgets it bit by bit.',
        ]);
        const says = await call<{ model: string; classes: string[] }>(page, "load", got.weights);
        return { ...got, four, says };
      });
      expect([out.shown.height, out.shown.width]).toEqual([256, 256]);
      const colours = session().classes.map(({ colour }) => `${colour},255`);
      for (const colour of Object.keys(out.shown.colours)) expect(colours).toContain(colour);
      expect(Object.keys(out.shown.colours).length).toBeGreaterThan(1);
      expect(out.says).toMatchObject({ model: "fcn8s-small", classes: session().classes.map(({ name }) => name) });
      const device = await createDevice({ quiet: true });
      try {
        const loaded = await fcn.loadModel(Uint8Array.from(out.weights), device);
        const { image } = await fcn.data.decodeImage(`${id}.jpg`, readFileSync(join(example, `${id}.jpg`)));
        const small = await halved(image);
        const { labels } = await fcn.predict(loaded, small);
        // The page gives labels at full size; those at the size of the work are each a quarter of them.
        let same = 0;
        for (const [i, label] of labels.entries()) {
          const [y, x] = [Math.floor(i / small.width), i % small.width];
          if (out.labels[2 * y * image.width + 2 * x] === label) same++;
        }
        // Decoders of JPEG and ways to scale an image down differ by a little.
        expect(same / labels.length).toBeGreaterThan(0.97);
        const { mean, std } = loaded.metadata.preprocessing;
        const planes = new Float32Array(3 * 256 * 256);
        fcn.data.normaliseInto(planes, 0, small, { channelOrder: "rgb", mean, std });
        const ours = await noGrad(() => loaded.model.forward(device.tensor(planes, [1, 3, 256, 256]))).data();
        const onnx = await openOnnx(Uint8Array.from(out.onnx));
        const { out: theirs } = await onnx.run({ dtype: "float32", data: planes, shape: [1, 3, 256, 256] });
        let range = 0;
        for (const value of ours) range = Math.max(range, Math.abs(value));
        for (const [i, value] of (theirs!.data as Float32Array).entries())
          expect(Math.abs(value - ours[i]!)).toBeLessThan(1e-3 * range);
        await onnx.release();
        const four = await fcn.loadModel(Uint8Array.from(out.four), device);
        expect(four.metadata.classes).toEqual([...session().classes.map(({ name }) => name), "cloud"]);
      } finally {
        device.destroy();
      }
    },
    5 * MINUTES,
  );

  it(
    "compares the nets of three strides side by side",
    async () => {
      await onPage(async (page) => {
        await load(page);
        await call(page, "begin", session(), images());
        await call(page, "untilStep", 5);
        expect(await call(page, "compare", 6)).toEqual(new Array(3).fill([256, 256]));
        await call(page, "untilStep", 10);
      });
    },
    5 * MINUTES,
  );

  it(
    "starts from features of ImageNet",
    async () => {
      await onPage(async (page) => {
        await load(page);
        const settings = { net: "fcn8s-mobilenetv2", workSide: 256, augment: true };
        await call(page, "begin", session(), images(), settings);
        const scores = await call<HeldBack>(page, "untilStep", 10);
        expect(scores.accuracy).toBeGreaterThan(0.6);
      });
    },
    5 * MINUTES,
  );
});

/** An image at half its size, each pixel the mean of four. */
async function halved(image: fcn.data.RasterImage): Promise<fcn.data.RasterImage> {
  const { default: sharp } = await import("sharp");
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const bytes = await sharp(image.data, { raw })
    .resize(image.width / 2, image.height / 2)
    .raw()
    .toBuffer();
  return { data: new Uint8Array(bytes), height: image.height / 2, width: image.width / 2, channels: 3 };
}
