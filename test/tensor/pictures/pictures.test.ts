import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDevice, drawToCanvas, fromImage } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../../support/bundle.js";
import { onPage, runOn } from "../../support/page.js";

const EXERCISE = fileURLToPath(new URL("../../support/picture-exercise.ts", import.meta.url));
const ELSEWHERE = "http://127.0.0.1/picture.png";
const PICTURE = fileURLToPath(new URL("../../../docs/images/demo.png", import.meta.url));

const SIZES = [
  ...[
    [1, 1],
    [1, 2],
    [3, 1],
    [2, 300],
    [300, 2],
    [7, 13],
    [64, 64],
    [5, 63],
    [5, 65],
    [129, 255],
    [33, 1001],
  ],
] as const;

it("pictures of every kind become tensors of their bytes, whatever their size", async () => {
  expect(await onPage((page) => runOn(page, "picture-exercise", "readPictures", SIZES))).toEqual([]);
});

it("colours under opacity are straight, to the rounding of the canvas that holds them", async () => {
  const got = await onPage((page) => runOn<{ canvas: number }>(page, "picture-exercise", "readOpacity"));
  expect(got).toEqual({ canvas: expect.any(Number), straight: undefined });
  expect(got.canvas).toBeLessThanOrEqual(1);
});

it("a video gives the frame that it shows", async () => {
  const got = await onPage((page) => runOn<{ shape: string; error: number }>(page, "picture-exercise", "readVideo"));
  expect(got.shape).toBe("3,48,64");
  expect(got.error).toBeLessThan(8);
});

it("a picture beyond the sides of a texture is read in parts, whose textures are freed", async () => {
  expect(await onPage((page) => runOn(page, "picture-exercise", "readLarge"))).toEqual({
    wrong: undefined,
    counts: { createTexture: 3, destroy: 3, copyExternalImageToTexture: 3 },
    left: 0,
  });
});

it("what is no picture, or not one yet, is refused with what to do, and the device goes on", async () => {
  const told = await onPage(async (page) => {
    await page.route(ELSEWHERE, (route) => route.fulfill({ contentType: "image/png", body: readFileSync(PICTURE) }));
    return runOn<Record<string, string>>(page, "picture-exercise", "refusePictures", ELSEWHERE);
  });
  const picture =
    /^fromImage: got .*, but needs a picture of the page \| pass an <img>, .*fcn\.toTensor takes files too$/;
  for (const name of ["text", "nothing", "number", "rows"]) expect(told[name], name).toMatch(picture);
  for (const name of ["loading", "broken"])
    expect(told[name], name).toMatch(/<img> is not loaded .*await image\.decode/);
  for (const name of ["closed", "empty"]) expect(told[name], name).toMatch(/no pixels, or is closed \(it is \d+x\d\)/);
  expect(told.tainted).toMatch(/does not let this page read the image: .*crossOrigin = "anonymous"/);
  expect(told.video).toMatch(/<video> has no frame \(it is 0x0\) \| wait for its event loadeddata/);
  expect(told.data).toMatch(/ImageData of 1x1 needs 4 values, 5 were given/);
  expect(told.channels).toMatch(/channels is 2, expected 3 or 4/);
  expect(told).toMatchObject({ after: "3,1,1", live: "1" });
});

it("tensors are drawn on canvases without reading them back, by a second device too", async () => {
  const drawn = await onPage((page) => runOn<Record<string, unknown>>(page, "picture-exercise", "drawPictures"));
  const exact = [37, 101, 0];
  expect(drawn).toMatchObject({
    packed: exact,
    planes: exact,
    offscreen: exact,
    another: exact,
    parts: exact,
    grey: [2, 3, 0],
  });
  expect(drawn.opacity).toEqual([2, 2, 0]);
  expect(drawn.reads).toEqual({ mapAsync: 0, copyTextureToBuffer: 0, getMappedRange: 0, readBuffer: 0 });
  expect(drawn.used).toMatch(/the canvas has a context of another kind, such as 2d or webgl/);
  expect(drawn.given).toMatch(/the canvas cannot be drawn on here: .*worker/s);
  expect(drawn.none).toMatch(/there is no canvas to draw on/);
  expect(drawn.shape).toMatch(/pixels have shape \[2, 3, 3\] and dtype float32, expected int32 \[H, W\]/);
  expect(drawn.dtype).toMatch(/pixels have shape \[3, 3\] and dtype float32/);
  expect(drawn.wide).toMatch(
    /limit-exceeded.* canvas of 1x20000 pixels was asked for, and its sides may be 8192 pixels/,
  );
});

it("a worker draws on a canvas of the page", async () => {
  const chunks = await bundle(`import { workInWorker } from ${JSON.stringify(EXERCISE)}; workInWorker();`);
  const entry = chunks.find((chunk) => chunk.isEntry)?.fileName;
  const shown = await onPage(async (page) => {
    await page.route("**/worker/*", (route) => {
      const name = new URL(route.request().url()).pathname.slice("/worker/".length);
      const body = chunks.find(({ fileName }) => fileName === name)?.code ?? "";
      return route.fulfill({ contentType: "text/javascript", body });
    });
    return runOn<number[]>(page, "picture-exercise", "drawInWorker", `/worker/${entry}`);
  });
  expect(shown).toEqual([2, 1, 255, 51, 0, 255, 0, 255, 102, 255]);
});

const opening = createDevice({ quiet: true });
let device: Awaited<typeof opening>;
beforeAll(async () => {
  device = await opening;
});
afterAll(() => device.destroy());

it("in Node, pixels in memory become a tensor, and a canvas is missed", async () => {
  const image = { data: Uint8Array.of(255, 0, 51, 255, 1, 2, 3, 4), height: 1, width: 2 };
  const bytes = [255, 1, 0, 2, 51, 3, 255, 4];
  const want = bytes.map((byte) => Math.fround(byte / 255));
  using x = fromImage(device, image, { channels: 4 });
  expect(Array.from(await x.data())).toEqual(want);
  const large = { data: Uint8Array.from({ length: 4 * 30 * 41 }, (_, i) => (i * 7) % 256), height: 30, width: 41 };
  using whole = fromImage(device, large);
  using narrow = await createDevice({ quiet: true, bindingLimit: 1024 });
  expect(await fromImage(narrow, large).data()).toEqual(await whole.data());
  using packed = fromImage(device, image, { dtype: "int32" });
  expect(packed.shape).toEqual([1, 2]);
  expect(new Uint8Array((await packed.data()).buffer)).toEqual(image.data);
  expect(() => fromImage(device, "photo.jpg" as never)).toThrow(/fromImage: got "photo\.jpg", but needs a picture/);
  await expect(drawToCanvas(packed, undefined as never)).rejects.toThrow(/drawToCanvas: there is no canvas to draw on/);
});
