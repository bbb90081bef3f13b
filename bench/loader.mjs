/**
 * The data loader: images a second by number of workers and by augmentation, how fast a net it can feed, and the
 * share of the time that real training runs wait for images.
 *
 *   npm run bench -- loader [--images N] [--workers 0,1,2] [--seconds S] [--steps N] [--models NAME,NAME]
 *
 * Images are JPEG files of 500x375, the size of PASCAL VOC, drawn into a folder that is removed again; masks are
 * 8-bit PNG. Training is `fcn.trainRun` on crops of 320x480, batch 4, with the default workers, beside the same steps
 * on one batch that lies in memory. On a software adapter net and loader share the processor. Writes
 * bench/results/loader-<adapter>.{json,md} at the default options.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const [HEIGHT, WIDTH, CLASSES, BATCH] = [375, 500, 21, 4];
const CROP = [320, 480];
const TRAINING = "mirror, crop";
const AUGMENTATIONS = {
  none: {},
  [TRAINING]: { crop: CROP, mirror: true },
  "scale, rotate, mirror, crop, colour": {
    crop: CROP,
    mirror: true,
    scale: [0.5, 2],
    rotate: 10,
    colour: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
  },
};
const OPTIONS = {
  images: { type: "string", default: "96" },
  workers: { type: "string", default: workerCounts().join(",") },
  seconds: { type: "string", default: "4" },
  steps: { type: "string", default: "12" },
  models: { type: "string", default: "fcn8s-small,d2l-resnet18" },
};

/** 0, 1, 2, 4, ... up to the cores of the machine, 8 at most: more are not used by default. */
function workerCounts() {
  const cores = Math.min(8, availableParallelism());
  return [...new Set([0, 1, 2, 4, 8].filter((count) => count < cores).concat(cores))];
}

/** Soft spots of random colours under a chequered mask. */
async function drawFolder(data, root, images) {
  const require = createRequire(new URL("../packages/fcn/package.json", import.meta.url));
  const sharp = require("sharp");
  const { encode } = await import("fast-png");
  await mkdir(join(root, "images"), { recursive: true });
  await mkdir(join(root, "masks"));
  for (let i = 0; i < images; i++) {
    const random = data.createRandom(i);
    const spots = Uint8Array.from({ length: 50 * 38 * 3 }, () => 256 * random());
    const photo = sharp(spots, { raw: { width: 50, height: 38, channels: 3 } }).resize(WIDTH, HEIGHT, { fit: "fill" });
    await photo.jpeg({ quality: 92 }).toFile(join(root, "images", `${i}.jpg`));
    const labels = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, at) => {
      return (((at % WIDTH) >> 5) + (Math.floor(at / WIDTH) >> 5) + i) % CLASSES;
    });
    const mask = encode({ width: WIDTH, height: HEIGHT, data: labels, channels: 1, depth: 8 });
    await writeFile(join(root, "masks", `${i}.png`), mask);
  }
}

async function withLoader(data, dataset, options, use) {
  const loader = new data.DataLoader(dataset, options);
  try {
    return await use(loader);
  } finally {
    await loader.close();
  }
}

/** Images a second of a loader whose batches are read and not used. */
function imagesPerSecond(data, dataset, options, seconds) {
  return withLoader(data, dataset, { batchSize: 8, preprocessing: data.VOC_MEAN, ...options }, async (loader) => {
    let count = 0;
    let start = 0;
    for await (const { names } of loader.batches()) {
      // The first batch holds the start of the workers.
      if (start === 0) start = performance.now();
      else count += names.length;
      if (performance.now() - start > seconds * 1000) break;
    }
    return (1000 * count) / (performance.now() - start);
  });
}

/**
 * Images a second of training steps on one batch that lies in memory; the first step, which compiles, is left out.
 */
async function netAlone(fcn, device, dataset, model, steps) {
  const preprocessing = fcn.data.IMAGENET_MEAN;
  const options = { batchSize: BATCH, preprocessing, augmentation: AUGMENTATIONS[TRAINING], workers: 0 };
  const first = (loader) => loader.batches().next();
  const { value: batch } = await withLoader(fcn.data, dataset, options, first);
  const net = fcn.models.create(model, device, { numClasses: CLASSES, seed: 1 });
  const readings = [];
  const onProgress = () => void readings.push(performance.now());
  const data = { next: async () => ({ value: batch }) };
  const settings = { preprocessing, numClasses: CLASSES, learningRate: 1e-4, steps: steps + 1, readEvery: 1 };
  await fcn.train({ model: net, data, ...settings, onProgress });
  net.dispose();
  return (1000 * BATCH * steps) / (readings.at(-1) - readings[0]);
}

async function trainingRun(fcn, root, out, model, steps) {
  const options = { batchSize: BATCH, crop: CROP, learningRate: 1e-4, steps, open: { validation: 0.01 } };
  const run = await fcn.trainRun({ data: root, model, out, ...options });
  const { stepping, waited } = run;
  return { imagesPerSecond: (BATCH * steps) / stepping, stepping, waited, share: waited / stepping };
}

async function measure({ images, workers, seconds, steps, models }) {
  const [T, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const root = await mkdtemp(join(tmpdir(), "fcn-loader-"));
  const device = await T.createDevice();
  try {
    await drawFolder(fcn.data, join(root, "data"), images);
    const { splits } = await fcn.data.open(join(root, "data"), { validation: 0.01 });
    const speeds = [];
    for (const count of workers) {
      const row = { workers: count, imagesPerSecond: {} };
      for (const [name, augmentation] of Object.entries(AUGMENTATIONS)) {
        const options = { workers: count, augmentation };
        row.imagesPerSecond[name] = await imagesPerSecond(fcn.data, splits.train, options, seconds);
      }
      speeds.push(row);
    }
    const runs = [];
    for (const model of models) {
      const alone = await netAlone(fcn, device, splits.train, model, steps);
      runs.push({ model, alone, ...(await trainingRun(fcn, join(root, "data"), join(root, model), model, steps)) });
    }
    const cores = availableParallelism();
    return { date: new Date().toISOString(), adapter: device.info, cores, images, steps, speeds, runs };
  } finally {
    device.destroy();
    await rm(root, { recursive: true, force: true });
  }
}

const SPEED_HEADER = ["workers", ...Object.keys(AUGMENTATIONS), `a worker, ${TRAINING}`, ""];
const speedCells = ({ workers, imagesPerSecond: speeds }) => [
  workers === 0 ? "0 (the calling thread)" : String(workers),
  ...Object.values(speeds).map(digits),
  digits(speeds[TRAINING] / Math.max(1, workers)),
  `the loader feeds a net of up to ${digits(speeds[TRAINING])} images/s with ${workers} ${workers === 1 ? "worker" : "workers"}`,
];

const RUN_HEADER = [
  "training run",
  "net alone, images/s",
  "run, images/s",
  "steps, s",
  "waited, s",
  "waits for images",
];
const runCells = ({ model, alone, imagesPerSecond, stepping, waited, share }) => [
  model,
  digits(alone),
  digits(imagesPerSecond),
  digits(stepping),
  digits(waited),
  `${digits(100 * share)} % of the time`,
];

const head = ({ images, steps, cores, adapter, date }) => [
  `${images} JPEG images of ${WIDTH}x${HEIGHT} with PNG masks; training: ${steps} steps of ${BATCH} crops of ${CROP.join("x")}, the first of which compiles`,
  `${cores} cores; adapter: ${adapter.description}; ${date}`,
];

export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  const numbers = Object.fromEntries(["images", "seconds", "steps"].map((name) => [name, Number(values[name])]));
  const workers = values.workers.split(",").map(Number);
  const record = await measure({ ...numbers, workers, models: values.models.split(",") });
  const [speeds, runs] = [record.speeds.map(speedCells), record.runs.map(runCells)];
  const tables = (table) => [table(SPEED_HEADER, speeds), "", table(RUN_HEADER, runs)];
  console.log([...head(record), "", "images/s by number of workers", ...tables(textTable)].join("\n"));
  if (argv.length > 0) return;
  const rest = ["Images a second by number of workers:", "", ...tables(markdownTable)];
  const markdown = markdownReport("Data loader", "npm run bench -- loader", head(record), rest);
  await writeReport(record, markdown, { kind: "loader" });
}
