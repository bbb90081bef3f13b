/**
 * Drops photographs of 12 megapixels on the built studio (`npm run studio -- --build`) as a person does, paints on some
 * of them, looks at all, takes the masks of the painted ones away at full size, and reloads. Prints how long that
 * takes, how long the page's main thread is held up, and what memory it needs.
 *
 *   node scripts/studio-fifty.mjs [--images N] [--painted N] [--net]
 *
 * The page has no WebGPU and thus no net, unless --net asks for it; then the net learns all the while.
 */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { preview } from "vite";
import { watchMemory } from "./lib/browser-memory.mjs";
import { CHROMIUM_FLAGS, findChromium } from "./lib/chromium.mjs";
import { longestTask } from "./lib/longest-task.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const WORLD = join(
  dirname(createRequire(import.meta.url).resolve("three-globe")),
  "../example/img/earth-blue-marble.jpg",
);
const [WIDTH, HEIGHT] = [4000, 3000];
const NO_NET = ["--no-sandbox", "--disable-features=WebGPU", "--no-first-run", "--disable-background-networking"];
const { values: options } = parseArgs({
  options: {
    images: { type: "string", default: "50" },
    painted: { type: "string", default: "5" },
    net: { type: "boolean", default: false },
  },
});
const [COUNT, PAINTED] = [Number(options.images), Number(options.painted)];
/** Strokes on each image that is painted on. */
const STROKES = 6;
const PATIENCE = 10 * 60_000;

/** Parts of the world map, enlarged, with noise as cameras have it, so that files are as large as a camera's. */
async function writePhotos(folder) {
  const { width, height } = await sharp(WORLD).metadata();
  const part = { width: Math.floor(width / 4), height: Math.floor((width * 3) / 16) };
  const noise = { type: "gaussian", mean: 128, sigma: 40 };
  const grain = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: "#000", noise } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const paths = [];
  for (let i = 0; i < COUNT; i++) {
    const left = Math.floor((i * 0.618 * width) % (width - part.width));
    const top = Math.floor((i / COUNT) * (height - part.height));
    const path = join(folder, `photo-${String(i).padStart(3, "0")}.jpg`);
    await sharp(WORLD)
      .extract({ left, top, ...part })
      .resize(WIDTH, HEIGHT)
      .composite([{ input: grain, blend: "soft-light" }])
      .jpeg({ quality: 88 })
      .toFile(path);
    paths.push(path);
  }
  return paths;
}

/** Drops files on the page; a script may put only those in a drop that a file dialogue gave it. */
async function drop(page, paths) {
  await page.evaluate(() => {
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "dropped" });
    document.body.append(input);
  });
  await page.locator("#dropped").setInputFiles(paths);
  await page.evaluate(() => {
    const input = document.getElementById("dropped");
    const dataTransfer = new DataTransfer();
    for (const file of input.files) dataTransfer.items.add(file);
    input.remove();
    window.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
  });
}

/** Paints some strokes of two classes with the mouse. */
async function paint(page, strokes) {
  const box = await page.locator("canvas.strokes").boundingBox();
  for (let i = 0; i < strokes; i++) {
    await page.keyboard.press(String(1 + (i % 2)));
    const y = box.y + box.height * (0.15 + (0.7 * i) / strokes);
    await page.mouse.move(box.x + 0.2 * box.width, y);
    await page.mouse.down();
    for (let k = 0; k < 30; k++) {
      await page.mouse.move(box.x + box.width * (0.2 + k / 60), y + 0.03 * box.height * Math.sin(k / 3));
    }
    await page.mouse.up();
  }
}

const shows = (page, strokes) =>
  page.getByRole("button", { name: new RegExp(`^Show photo-.*\\(${strokes} strokes\\)`) });
const thumbnails = (page) => page.locator(".thumbnail img").count();

async function until(page, isTrue) {
  while (!(await isTrue())) await page.waitForTimeout(100);
}

/** How many masks a zip holds, checking that each is as large as its photograph. They lie in it as they are. */
function countMasks(zip) {
  let count = 0;
  for (let at = zip.indexOf("IHDR"); at >= 0; at = zip.indexOf("IHDR", at + 1)) {
    const [width, height] = [zip.readUInt32BE(at + 4), zip.readUInt32BE(at + 8)];
    if (width !== WIDTH || height !== HEIGHT) throw new Error(`a mask has ${width} x ${height} pixels`);
    count++;
  }
  return count;
}

const MIB = 2 ** 20;
const inMib = (bytes) => `${Math.round(bytes / MIB)} MiB`;

/** Does the work of a person on a page that shows the example, and prints what each part took. */
async function work(page, photos) {
  const memory = await watchMemory(page);
  const part = async (name, run) => {
    await memory.most();
    const start = performance.now();
    const longest = await longestTask(page, run);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { page: own, gpu, browser, heap } = await memory.most();
    const held = `page ${inMib(own)} (JavaScript ${inMib(heap)}), GPU process ${inMib(gpu)}, browser ${inMib(browser)}`;
    console.log(`${name}: ${seconds} s, longest task ${longest.toFixed(0)} ms; ${held}`);
  };
  await part("at rest", () => page.waitForTimeout(3000));
  await part("reading all", async () => {
    await drop(page, photos);
    await shows(page, 0).first().waitFor({ timeout: PATIENCE });
  });
  await part("making thumbnails", () => until(page, async () => (await thumbnails(page)) === COUNT));
  await part(`painting on ${PAINTED}`, async () => {
    for (let i = 0; i < PAINTED; i++) {
      await paint(page, STROKES);
      for (let k = 0; k < Math.floor(COUNT / PAINTED); k++) await page.keyboard.press(".");
      await page.waitForTimeout(1000);
    }
  });
  await part("looking at all", async () => {
    for (let i = 0; i < COUNT; i++) {
      await page.keyboard.press(".");
      await page.waitForTimeout(400);
    }
  });
  await part("leafing through all", async () => {
    for (let i = 0; i < COUNT; i++) await page.keyboard.press(".");
    await page.waitForTimeout(3000);
  });
  await page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: "Take away" }).click();
  await page.getByRole("radio", { name: "All images" }).check();
  if (options.net) await page.getByLabel("What they hold").selectOption("strokes");
  let zip;
  await part("masks of the painted ones", async () => {
    const download = page.waitForEvent("download", { timeout: PATIENCE });
    await page.getByRole("button", { name: "Masks (PNG)" }).click();
    zip = await readFile(await (await download).path());
  });
  console.log(`${countMasks(zip)} masks of ${WIDTH} x ${HEIGHT} pixels`);
  await part("reload", async () => {
    await page.reload();
    await shows(page, STROKES).first().waitFor({ timeout: PATIENCE });
    await until(page, async () => (await thumbnails(page)) === COUNT);
  });
  if ((await shows(page, STROKES).count()) !== PAINTED) throw new Error("strokes are missing after the reload");
  await memory.stop();
  const kept = await page.evaluate(async () => (await navigator.storage.estimate()).usageDetails.indexedDB);
  console.log(`kept in IndexedDB: ${inMib(kept)}`);
}

const folder = await mkdtemp(join(tmpdir(), "fcn-studio-fifty-"));
const server = await preview({ root: join(root, "studio"), logLevel: "error" });
// Without a folder for it Chromium would keep in memory what it should write to the disk.
const context = await chromium.launchPersistentContext(join(folder, "profile"), {
  executablePath: findChromium(),
  args: options.net ? CHROMIUM_FLAGS : NO_NET,
  viewport: { width: 1280, height: 800 },
});
try {
  const photos = await writePhotos(folder);
  const sizes = await Promise.all(photos.map(async (path) => (await stat(path)).size));
  const bytes = sizes.reduce((a, b) => a + b);
  console.log(`${COUNT} photographs of ${WIDTH} x ${HEIGHT} pixels, ${inMib(bytes)}`);
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("pageerror", (error) => console.error(error));
  await page.goto(server.resolvedUrls.local[0]);
  await page.getByRole("button", { name: /^Show Andes/ }).waitFor();
  await work(page, photos);
} finally {
  await context.close();
  await server.close();
  await rm(folder, { recursive: true });
}
