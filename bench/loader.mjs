/**
 * The data loader: pictures a second by number of workers and by augmentation, and the share of the time that training waits for data.
 *
 *   node bench/loader.mjs [--pictures N] [--workers 0,1,2] [--seconds S] [--steps N]
 *
 * Pictures are JPEG files of 500x375, the size of PASCAL VOC, drawn into a folder that is removed again; masks are 8-bit PNG.
 * Training is the d2l net on crops of 320x480, batch 4.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { data, models } from "@fcn/core";
import { createDevice, crossEntropy, optim } from "@fcn/tensor";
import { digits, textTable } from "./lib/table.mjs";

const require = createRequire(new URL("../packages/fcn/package.json", import.meta.url));
const sharp = require("sharp");
const { encode } = await import("fast-png");

const [HEIGHT, WIDTH, CLASSES] = [375, 500, 21];
const CROP = { crop: [320, 480], mirror: true };
const AUGMENTATIONS = {
  none: {},
  "mirror, crop": CROP,
  "scale, rotate, mirror, crop, colour": {
    ...CROP,
    scale: [0.5, 2],
    rotate: 10,
    colour: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
  },
};

/** Soft spots of random colours under a chequered mask. */
async function drawFolder(root, pictures) {
  await mkdir(join(root, "images"), { recursive: true });
  await mkdir(join(root, "masks"));
  for (let i = 0; i < pictures; i++) {
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

async function withLoader(dataset, options, use) {
  const loader = new data.DataLoader(dataset, options);
  try {
    return await use(loader);
  } finally {
    await loader.close();
  }
}

function picturesPerSecond(dataset, options, seconds) {
  return withLoader(dataset, { batchSize: 8, preprocessing: data.VOC_MEAN, ...options }, async (loader) => {
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

async function trainSteps(loader, device, net, optimizer, steps) {
  let waited = 0;
  let start = 0;
  let step = 0;
  for await (const { images, labels, shape } of loader.batches()) {
    await device.scope(async () => {
      const target = device.tensor(labels, [shape[0], shape[2], shape[3]], { dtype: "int32" });
      const loss = crossEntropy(net.forward(device.tensor(images, shape)), target);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      await loss.item();
    });
    // The first step compiles, the first batch starts the workers.
    if (step === 0) [start, waited] = [performance.now(), loader.waitedSeconds];
    if (++step > steps) break;
  }
  const seconds = (performance.now() - start) / 1000;
  return { share: (loader.waitedSeconds - waited) / seconds, secondsPerStep: seconds / steps };
}

async function waitingShare(dataset, workers, steps) {
  const device = await createDevice();
  const net = models.create("d2l-resnet18", device, { numClasses: CLASSES, seed: 1 });
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3 });
  const options = { batchSize: 4, workers, augmentation: CROP, preprocessing: data.IMAGENET_MEAN };
  try {
    const run = (loader) => trainSteps(loader, device, net, optimizer, steps);
    return { ...(await withLoader(dataset, options, run)), adapter: device.info.description };
  } finally {
    device.destroy();
  }
}

const { values } = parseArgs({
  options: {
    pictures: { type: "string", default: "96" },
    workers: { type: "string", default: "0,1,2" },
    seconds: { type: "string", default: "3" },
    steps: { type: "string", default: "4" },
  },
});
const counts = values.workers.split(",").map(Number);
const root = await mkdtemp(join(tmpdir(), "bench-loader-"));
try {
  await drawFolder(root, Number(values.pictures));
  const { splits } = await data.open(root, { validation: 0.01 });
  const rows = [];
  for (const [name, augmentation] of Object.entries(AUGMENTATIONS)) {
    const speeds = [];
    for (const workers of counts) {
      speeds.push(digits(await picturesPerSecond(splits.train, { workers, augmentation }, Number(values.seconds))));
    }
    rows.push([name, ...speeds, ""]);
  }
  console.log("pictures a second by number of workers (0: in the calling thread)");
  console.log(textTable(["augmentation", ...counts.map(String), ""], rows));
  for (const workers of counts) {
    const { share, secondsPerStep, adapter } = await waitingShare(splits.train, workers, Number(values.steps));
    const percent = digits(100 * share);
    console.log(
      `training, ${workers} workers: ${percent} % of the time waits for data, ${digits(secondsPerStep)} s a step, ${adapter}`,
    );
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
