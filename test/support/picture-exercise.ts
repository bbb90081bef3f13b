import {
  createDevice,
  type Device,
  drawToCanvas,
  fromImage,
  hasCode,
  type PictureSource,
  paint,
  type Tensor,
} from "@fcn/tensor";

/** Counts calls of what reads back or makes textures while `use` runs. */
export async function counting(names: readonly string[], use: () => Promise<void>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const prototypes = [GPUBuffer, GPUCommandEncoder, GPUDevice, GPUTexture, GPUQueue].map(({ prototype }) => prototype);
  const undo: (() => void)[] = [];
  for (const name of names) {
    counts[name] = 0;
    for (const prototype of prototypes as unknown as Record<string, (...args: unknown[]) => unknown>[]) {
      const own = Object.getOwnPropertyDescriptor(prototype, name);
      // Of all that can be destroyed, textures alone are counted.
      if (typeof own?.value !== "function" || (name === "destroy" && !("createView" in prototype))) continue;
      prototype[name] = function (...args: unknown[]) {
        counts[name] = (counts[name] ?? 0) + 1;
        return (own.value as (...args: unknown[]) => unknown).apply(this, args);
      };
      undo.push(() => Object.defineProperty(prototype, name, own));
    }
  }
  await use().finally(() => {
    for (const put of undo) put();
  });
  return counts;
}

export const READS = ["mapAsync", "copyTextureToBuffer", "getMappedRange", "readBuffer"];

/** Deterministic bytes. */
function bytes(count: number, seed: number): Uint8ClampedArray<ArrayBuffer> {
  let state = seed * 2654435761 + 1;
  return Uint8ClampedArray.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Pixels of an image; with `opaque`, all of them hide what is below. */
export function pixels(height: number, width: number, seed: number, opaque = true): ImageData {
  const data = bytes(height * width * 4, seed);
  if (opaque) for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return new ImageData(data, width, height);
}

function canvasOf(image: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(image.width, image.height);
  (canvas.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
  return canvas;
}

/** What a canvas shows. */
export function shownOn(canvas: CanvasImageSource & { readonly width: number; readonly height: number }): ImageData {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.drawImage(canvas, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

export async function urlOf(canvas: OffscreenCanvas): Promise<string> {
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
}

/** Every kind of picture that shows `image`. */
export async function kinds(image: ImageData): Promise<Record<string, PictureSource>> {
  const canvas = canvasOf(image);
  const element = new Image();
  element.src = await urlOf(canvas);
  await element.decode();
  const onPage = document.createElement("canvas");
  Object.assign(onPage, { width: image.width, height: image.height });
  onPage.getContext("2d")?.putImageData(image, 0, 0);
  return {
    ImageData: image,
    OffscreenCanvas: canvas,
    HTMLCanvasElement: onPage,
    ImageBitmap: await createImageBitmap(image),
    HTMLImageElement: element,
    VideoFrame: new VideoFrame(canvas, { timestamp: 0 }),
  };
}

/** Where a tensor is not what the bytes of an image say, or undefined. */
async function difference(x: Tensor, image: ImageData, channels: number): Promise<string | undefined> {
  const { height, width, data } = image;
  if (`${x.shape}` !== `${[channels, height, width]}`) return `shape ${x.shape}`;
  const values = await x.data();
  for (let i = 0; i < values.length; i++) {
    const byte = data[(i % (height * width)) * 4 + Math.floor(i / (height * width))] as number;
    if (values[i] !== Math.fround(byte / 255)) return `${i}: ${values[i]} for the byte ${byte}`;
  }
  return undefined;
}

/** What differs from the bytes of images of these sizes, in all kinds of pictures; empty if nothing does. */
export async function readPictures(sizes: readonly (readonly [number, number])[]): Promise<string[]> {
  const device = await createDevice({ quiet: true });
  const wrong: string[] = [];
  for (const [i, [height, width]] of sizes.entries()) {
    const image = pixels(height, width, i + 1);
    for (const [kind, picture] of Object.entries(await kinds(image))) {
      for (const channels of [3, 4] as const) {
        using x = fromImage(device, picture, { channels });
        const found = await difference(x, image, channels);
        if (found) wrong.push(`${kind} ${height}x${width} ${channels}: ${found}`);
      }
      using packed = fromImage(device, picture, { dtype: "int32" });
      const words = new Int32Array(image.data.buffer);
      if (`${await packed.data()}` !== `${words}`) wrong.push(`${kind} ${height}x${width} packed`);
      if ("close" in picture) picture.close();
    }
  }
  device.destroy();
  return wrong;
}

/** The greatest difference in bytes from `getImageData` where pixels are half transparent, and of ImageData itself. */
export async function readOpacity(): Promise<{ canvas: number; straight: string | undefined }> {
  const device = await createDevice({ quiet: true });
  const image = pixels(31, 47, 9, false);
  const canvas = canvasOf(image);
  const stored = shownOn(canvas).data;
  using x = fromImage(device, canvas, { dtype: "int32" });
  const got = new Uint8Array((await x.data()).buffer);
  using own = fromImage(device, image, { channels: 4 });
  const straight = await difference(own, image, 4);
  // A canvas keeps colours multiplied by their opacity, so that few of them are left under little opacity.
  const errors = Array.from(
    got,
    (byte, i) => Math.abs(byte - (stored[i] as number)) * ((stored[i | 3] as number) / 255),
  );
  device.destroy();
  return { canvas: Math.max(...errors), straight };
}

/** What a `<video>` shows, beside the colour of all of its frames; its encoding may move it a little. */
export async function readVideo(): Promise<{ shape: string; error: number }> {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 64, height: 48 });
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const draw = () => {
    context.fillStyle = "rgb(200, 100, 50)";
    context.fillRect(0, 0, 64, 48);
  };
  draw();
  const video = document.createElement("video");
  Object.assign(video, { muted: true, srcObject: canvas.captureStream(30) });
  const timer = setInterval(draw, 20);
  await video.play();
  const device = await createDevice({ quiet: true });
  using x = fromImage(device, video);
  const values = await x.data();
  clearInterval(timer);
  const want = [200, 100, 50];
  const plane = values.length / 3;
  const errors = Array.from(values, (value, i) => Math.abs(value * 255 - (want[Math.floor(i / plane)] as number)));
  const shape = `${x.shape}`;
  device.destroy();
  return { shape, error: Math.max(...errors) };
}

/** An image beyond the sides of a texture, and the textures that reading it made and freed. */
export async function readLarge(): Promise<{
  wrong: string | undefined;
  counts: Record<string, number>;
  left: number;
}> {
  const device = await createDevice({ quiet: true });
  const { data, height, width } = pixels(3, 20_001, 5);
  // A canvas of such a width is there, since sides up to 32767 are.
  const canvas = canvasOf(new ImageData(data, width, height));
  const before = device.memory().reservedBytes;
  const counts = await counting(["createTexture", "destroy", "copyExternalImageToTexture"], async () => {
    const x = fromImage(device, canvas);
    x.dispose();
    await device.sync();
    device.trim();
    await device.sync();
  });
  const left = device.memory().reservedBytes - before;
  using y = fromImage(device, canvas);
  const wrong = await difference(y, new ImageData(data, width, height), 3);
  device.destroy();
  return { wrong, counts, left };
}

/** The errors for what is no picture, or not one yet. */
export async function refusePictures(elsewhere: string): Promise<Record<string, string>> {
  const device = await createDevice({ quiet: true });
  const closed = await createImageBitmap(pixels(2, 2, 1));
  closed.close();
  const broken = new Image();
  broken.src = "data:image/png;base64,AAAA";
  await broken.decode().catch(() => undefined);
  const tainted = new Image();
  tainted.src = elsewhere;
  await tainted.decode();
  const empty = new OffscreenCanvas(0, 5);
  const given: Record<string, unknown> = {
    text: "photo.jpg",
    nothing: null,
    number: 3,
    loading: new Image(),
    broken,
    closed,
    empty,
    tainted,
    video: document.createElement("video"),
    data: { data: new Uint8ClampedArray(5), height: 1, width: 1 },
    rows: { data: new Uint8Array(3), height: 1, width: 1, channels: 3 },
    channels: undefined,
  };
  const told: Record<string, string> = {};
  for (const [name, picture] of Object.entries(given)) {
    const [image, options] = name === "channels" ? [pixels(1, 1, 1), { channels: 2 }] : [picture, {}];
    try {
      fromImage(device, image as ImageData, options as object);
      told[name] = "taken";
    } catch (error) {
      told[name] = hasCode(error, "invalid-argument", "invalid-shape") ? `${error.message} | ${error.fix}` : `${error}`;
    }
  }
  // The device goes on.
  using fine = fromImage(device, pixels(1, 1, 1));
  told.after = `${fine.shape}`;
  await device.sync();
  told.live = `${device.memory().liveTensors}`;
  device.destroy();
  return told;
}

/** What canvases show of pixels: greatest differences in bytes, sizes, and the calls that read back. */
export async function drawPictures(): Promise<Record<string, unknown>> {
  const device = await createDevice({ quiet: true });
  const [height, width] = [37, 101];
  const image = pixels(height, width, 3);
  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const words = new Int32Array(image.data.buffer);
  const drawn: Record<string, unknown> = {};
  const show = async (
    name: string,
    x: Tensor,
    want: (i: number) => number,
    on: HTMLCanvasElement | OffscreenCanvas,
  ) => {
    // A canvas is there for others until the browser shows it.
    const done = drawToCanvas(x, on);
    const { data } = shownOn(on);
    await done;
    const errors = Array.from(data, (byte, i) => Math.abs(byte - want(i)));
    drawn[name] = [on.height, on.width, Math.max(...errors)];
  };
  using packed = device.tensor(words, [height, width], { dtype: "int32" });
  await show("packed", packed, (i) => image.data[i]!, canvas);
  using planes = fromImage(device, image);
  await show("planes", planes, (i) => image.data[i]!, canvas);
  await show("offscreen", planes, (i) => image.data[i]!, new OffscreenCanvas(1, 1));
  using grey = device.tensor([0, 0.5, 1, 2, -1, Number.NaN], [1, 2, 3]);
  const levels = [0, 128, 255, 255, 0, 0];
  await show("grey", grey, (i) => (i % 4 === 3 ? 255 : levels[i >> 2]!), canvas);
  using labels = device.tensor([0, 1, 2, 7], [2, 2], { dtype: "int32" });
  // Red that hides, green that half hides, nothing; and a label without a colour.
  using palette = device.tensor([0xff0000ff | 0, 0x8000ff00 | 0, 0], [3], { dtype: "int32" });
  const want = [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0];
  await show("opacity", paint(labels, palette), (i) => want[i]!, canvas);
  drawn.reads = await counting(READS, async () => {
    for (let i = 0; i < 5; i++) await drawToCanvas(planes, canvas);
    await device.sync();
  });
  const used = new OffscreenCanvas(2, 2);
  used.getContext("2d");
  const given = document.createElement("canvas");
  given.transferControlToOffscreen();
  const wide = device.zeros([1, 1, 20_000]);
  for (const [name, [x, on]] of Object.entries({
    used: [planes, used],
    given: [planes, given],
    none: [planes, undefined],
    shape: [device.zeros([2, 3, 3]), canvas],
    dtype: [device.zeros([3, 3]), canvas],
    wide: [wide, canvas],
  })) {
    drawn[name] = await drawToCanvas(x as Tensor, on as HTMLCanvasElement).then(
      () => "drawn",
      (error: unknown) => String(error),
    );
  }
  device.destroy();
  const another: Device = await createDevice({ quiet: true });
  using again = fromImage(another, image);
  await show("another", again, (i) => image.data[i]!, canvas);
  another.destroy();
  const narrow = await createDevice({ quiet: true, bindingLimit: 4096 });
  using parts = fromImage(narrow, image);
  await show("parts", parts, (i) => image.data[i]!, canvas);
  narrow.destroy();
  return drawn;
}

/** Draws in a worker on a canvas of the page, and returns what the page shows then. */
export async function drawInWorker(script: string): Promise<number[]> {
  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const given = canvas.transferControlToOffscreen();
  const thread = new Worker(script, { type: "module" });
  const done = new Promise((resolve, reject) => {
    thread.onmessage = ({ data }) => (data === "drawn" ? resolve(data) : reject(new Error(data)));
    thread.onerror = (event) => reject(new Error(event.message));
  });
  thread.postMessage(given, [given]);
  await done;
  // What the worker drew is shown with its next frame.
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { data } = shownOn(canvas);
    if (data.some((byte) => byte > 0)) break;
  }
  thread.terminate();
  return [canvas.width, canvas.height, ...shownOn(canvas).data];
}

/** What the worker of {@link drawInWorker} does. */
export function workInWorker(): void {
  addEventListener("message", async ({ data }) => {
    try {
      const device = await createDevice({ quiet: true });
      await drawToCanvas(device.tensor([1, 0, 0.2, 1, 0, 0.4], [3, 1, 2]), data);
      postMessage("drawn");
    } catch (error) {
      postMessage(String(error));
    }
  });
}
