import { data, type ImageInput, models, predict, predictAll, showPrediction, toTensor } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { counting, kinds, pixels, READS, shownOn, urlOf } from "./picture-exercise.js";
import { fillWeights } from "./random-weights.js";

const PREPROCESSING = { channelOrder: "bgr", mean: [104, 117, 123], std: [57, 58, 59] } as const;
const PALETTE = [
  [0, 0, 0],
  [200, 30, 40],
  [10, 220, 60],
  [70, 80, 240],
] as const;
const OPTIONS = { preprocessing: PREPROCESSING, palette: PALETTE } as const;
const CLASSES = PALETTE.length;

function netOn(device: Device) {
  const net = models.create("fcn8s-small", device, { numClasses: CLASSES, widthMultiplier: 1 / 4, seed: 1 });
  fillWeights(net, "prediction exercise");
  return net;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length ? Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number)))) : Infinity;

/** An image with blobs, in which a net sees more than one class. */
function scene(height: number, width: number): ImageData {
  const image = pixels(height, width, 4);
  for (let i = 0; i < height * width; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    const level = (Math.floor(y / 17) + Math.floor(x / 23)) % 3;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (image.data[4 * i + c]! >> 2) + level * 60 + c * 10;
  }
  return image;
}

/** What canvases show beside what `predict` says, as greatest differences in bytes. */
export async function showExercise(): Promise<Record<string, unknown>> {
  const device = await createDevice({ quiet: true });
  const net = netOn(device);
  const [height, width] = [75, 131];
  const image = scene(height, width);
  const { labels, overlay } = await predict(net, image, { ...OPTIONS, overlay: { alpha: 0.25 } });
  const { probabilities } = await predict(net, image, { ...OPTIONS, probabilities: true });
  const found: Record<string, unknown> = { classes: new Set(labels).size };
  const canvas = document.createElement("canvas");
  const draw = async (options: object, from: ImageInput = image): Promise<Uint8ClampedArray> => {
    const size = await showPrediction(net, from, canvas, { ...OPTIONS, ...options });
    if (size.height !== height || size.width !== width) throw new Error(`size ${size.height}x${size.width}`);
    return shownOn(canvas).data;
  };
  found.overlay = worst(await draw({ alpha: 0.25 }), overlay as Uint8ClampedArray);
  found.plain = worst(await draw({ alpha: 0.25 }, await createImageBitmap(image)), overlay as Uint8ClampedArray);
  const colours = Array.from(labels, (label) => [...PALETTE[label]!, 255]).flat();
  found.colours = worst(await draw({ show: "classes" }), colours);
  const isBorder = (i: number): boolean => {
    const [y, x] = [Math.floor(i / width), i % width];
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
        if (labels[v * width + u] !== labels[i]) return true;
    return false;
  };
  const borders = Array.from(labels, (label, i) => (isBorder(i) ? [...PALETTE[label]!, 255] : [0, 0, 0, 0])).flat();
  found.outline = worst(await draw({ show: "outline" }), borders);
  found.drawn = borders.filter((byte, i) => i % 4 === 3 && byte > 0).length;
  const unsure = await draw({ show: "entropy" });
  const p = probabilities?.data as Float32Array;
  const shares = Array.from(labels, (_, i) => {
    let entropy = 0;
    for (let c = 0; c < CLASSES; c++) entropy -= p[c * height * width + i]! * Math.log(p[c * height * width + i]!);
    return (255 * entropy) / Math.log(CLASSES);
  });
  found.entropy =
    worst(
      unsure.filter((_, i) => i % 4 === 3),
      shares,
    ) < 0.51;
  found.unsure = new Set(unsure.filter((_, i) => i % 4 === 3)).size > 10;
  // Tiles are predicted one after the other; labels agree away from their borders.
  const tiled = await predict(net, image, { ...OPTIONS, tile: 32 });
  const tiledColours = Array.from(tiled.labels, (label) => [...PALETTE[label]!, 255]).flat();
  found.tiles = [tiled.tiles > 1, worst(await draw({ show: "classes", tile: 32 }), tiledColours)];
  // Several views of one pass.
  const views = (["classes", "outline", "entropy", undefined] as const).map((show) => ({
    canvas: new OffscreenCanvas(1, 1),
    show,
  }));
  await showPrediction(net, image, views, { ...OPTIONS, alpha: 0.25 });
  found.sizes = views.map((view) => `${view.canvas.height}x${view.canvas.width}`).join();
  const live = device.memory().liveTensors;
  const bitmap = await createImageBitmap(image);
  await draw({}, bitmap);
  found.reads = await counting(READS, async () => {
    for (const show of ["overlay", "classes", "outline", "entropy"] as const) {
      await showPrediction(net, bitmap, canvas, { ...OPTIONS, show });
    }
    await Promise.all([bitmap, image].map((from) => showPrediction(net, from, canvas, OPTIONS)));
  });
  found.leaked = device.memory().liveTensors - live;
  found.refused = await Promise.all(
    [
      { show: "borders" },
      { alpha: 2 },
      { preprocessing: { channelOrder: "rgb", mean: [1], std: [1] } },
      { palette: undefined, head: "other" },
    ].map((options) =>
      draw(options).then(
        () => "drawn",
        (error: unknown) => (error as Error).message,
      ),
    ),
  );
  found.missing = await showPrediction(net, image, [], OPTIONS).catch((error: unknown) => (error as Error).message);
  device.destroy();
  return found;
}

/** What `predict`, `toTensor` and `decodeImage` make of every kind of image of a page; empty if it is the same. */
export async function inputExercise(): Promise<{ wrong: string[]; names: string[]; errors: Record<string, string> }> {
  const device = await createDevice({ quiet: true });
  const net = netOn(device);
  const image = scene(41, 67);
  const want = (await predict(net, image, OPTIONS)).labels;
  const all = await kinds(image);
  const canvas = all.OffscreenCanvas as OffscreenCanvas;
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const url = await urlOf(canvas);
  const bytes = await blob.arrayBuffer();
  const inputs: Record<string, ImageInput> = {
    ...all,
    Blob: blob,
    File: new File([blob], "scene.png"),
    blobURL: url,
    URL: new URL(url),
    dataURL: `data:image/png;base64,${btoa(String.fromCharCode(...new Uint8Array(bytes)))}`,
    path: "scene.png",
    http: `${location.origin}/scene.png`,
    bytes: new Uint8Array(bytes),
    ArrayBuffer: bytes,
  };
  await (globalThis as unknown as { serve(bytes: number[]): Promise<void> }).serve([...new Uint8Array(bytes)]);
  const wrong: string[] = [];
  const values = await (await toTensor(device, image)).data();
  const rgb = image.data.filter((_, i) => i % 4 < 3);
  for (const [kind, input] of Object.entries(inputs)) {
    if (worst((await predict(net, input, OPTIONS)).labels, want) > 0) wrong.push(`predict ${kind}`);
    if (worst(await (await toTensor(device, input)).data(), values) > 0) wrong.push(`toTensor ${kind}`);
    const decoded = await data.decodeImage("scene", input as Blob);
    if (worst(decoded.image.data, rgb) > 0 || decoded.stored.width !== 67) wrong.push(`decodeImage ${kind}`);
  }
  let count = 0;
  for await (const { prediction } of predictAll(net, Object.values(inputs), OPTIONS)) {
    if (prediction && worst(prediction.labels, want) === 0) count++;
  }
  if (count !== Object.keys(inputs).length) wrong.push(`predictAll: ${count}`);
  const bad: Record<string, unknown> = {
    missing: "nowhere.png",
    page: "page.png",
    text: new File(["hello, this is no picture"], "photo.jpg"),
    gone: "http://localhost:1/scene.png",
    number: 3,
  };
  const errors: Record<string, string> = {};
  for (const [name, input] of Object.entries(bad)) {
    errors[name] = await predict(net, input as ImageInput, OPTIONS).then(() => "predicted", String);
  }
  device.destroy();
  return { wrong, names: Object.keys(inputs), errors };
}
