/**
 * Images per second of `fcn predict` on a folder, beside what the net alone does: the same images, decoded already,
 * and labels read back.
 *
 *   npm run bench -- throughput [--images N] [--size HxW] [--model NAME] [--width M] [--save LIST]
 *
 * The rest of the command's time is time in which the GPU waits for decoding, encoding and writing. On a software
 * adapter these share the processor with the net. Writes bench/results/throughput-<adapter>.{json,md} at the default
 * options.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const CLASSES = 21;
const MIB = 1024 * 1024;
const OPTIONS = {
  images: { type: "string", default: "48" },
  size: { type: "string", default: "375x500" },
  model: { type: "string", default: "fcn8s-small" },
  width: { type: "string", default: "1" },
  save: { type: "string", default: "labels,overlay" },
};
const PREPROCESSING = { channelOrder: "rgb", mean: [124, 116, 104], std: [58, 57, 57] };

/** A smooth image with some noise, different for each index: about as large a JPEG as a photograph. */
function makeImage(height, width, index) {
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < data.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const wave = Math.sin(x / (20 + 3 * c) + index) + Math.cos(y / (30 - 4 * c) - index / 3);
    const noise = (Math.imul(i + index * 7919, 0x9e3779b1) >>> 24) / 8;
    data[i] = 110 + 45 * wave + noise;
  }
  return { data, height, width, channels: 3 };
}

async function makeFolder(folder, images) {
  const { default: sharp } = await import("sharp");
  await mkdir(folder);
  for (const [i, { data, height, width }] of images.entries()) {
    const raw = { width, height, channels: 3 };
    await sharp(data, { raw })
      .jpeg({ quality: 90 })
      .toFile(join(folder, `${String(i).padStart(5, "0")}.jpg`));
  }
}

/** A net whose classes differ, in a weights file. */
async function makeWeights(fcn, device, file, { model, width }) {
  const options = { numClasses: CLASSES, seed: 1, ...(width === 1 ? {} : { widthMultiplier: width }) };
  const net = fcn.models.create(model, device, options);
  for (const [name, parameter] of net.namedParameters()) {
    if (name.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 7 }));
  }
  const classes = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);
  const palette = Array.from({ length: CLASSES }, (_, i) => [(i * 53) % 256, (i * 101) % 256, (i * 197) % 256]);
  await fcn.saveModel(file, net, { model, options, classes, palette, preprocessing: PREPROCESSING });
  net.dispose();
}

/** Seconds for all images that lie decoded in memory. */
async function netAlone(fcn, device, file, images) {
  const loaded = await fcn.loadModel(file, device);
  await fcn.predict(loaded, images[0]);
  device.resetPeakMemory();
  const start = performance.now();
  for await (const { error } of fcn.predictAll(loaded, images)) if (error) throw error;
  return (performance.now() - start) / 1000;
}

/** What `fcn predict` says of itself. */
async function runCommand(folder, out, weights, save) {
  const bin = fileURLToPath(new URL("../packages/fcn/bin/fcn.js", import.meta.url));
  const args = [bin, "predict", folder, "--weights", weights, "--out", out, "--save", save, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 256 * MIB });
  const summary = JSON.parse(stdout);
  if (summary.failed > 0) throw new Error(`${summary.failed} images failed`);
  return summary;
}

async function measure({ images: count, size, model, width, save }) {
  const [T, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const [height, across] = size;
  const images = Array.from({ length: count }, (_, i) => makeImage(height, across, i));
  const root = await mkdtemp(join(tmpdir(), "fcn-throughput-"));
  const device = await T.createDevice();
  try {
    const weights = join(root, "weights.safetensors");
    await makeWeights(fcn, device, weights, { model, width });
    const alone = (await netAlone(fcn, device, weights, images)) / count;
    // The difference of two runs leaves out what a run needs once: kernels are compiled with the first image.
    const few = Math.max(1, Math.floor(count / 4));
    const timed = async (name, some) => {
      const folder = join(root, name);
      await makeFolder(folder, some);
      return runCommand(folder, join(root, `${name}-out`), weights, save);
    };
    const short = await timed("few", images.slice(0, few));
    const { seconds, peakBytes } = await timed("all", images);
    const each = (seconds - short.seconds) / (count - few);
    return {
      date: new Date().toISOString(),
      adapter: device.info,
      ...{ model, width, size, count, save, peakBytes },
      net: { imagesPerSecond: 1 / alone },
      predict: { imagesPerSecond: 1 / each, startSeconds: Math.max(0, seconds - count * each) },
      waiting: Math.max(0, 1 - alone / each),
    };
  } finally {
    device.destroy();
    await rm(root, { recursive: true, force: true });
  }
}

const HEADER = ["what", "images/s"];
const rows = ({ net, predict }) => [
  ["the net alone, images in memory", digits(net.imagesPerSecond)],
  [`fcn predict, after ${digits(predict.startSeconds)} s to start`, digits(predict.imagesPerSecond)],
];

const head = ({ model, width, size, count, save, waiting, peakBytes, adapter, date }) => [
  `${model}${width === 1 ? "" : `, width ${width}`}, ${CLASSES} classes; ${count} JPEG images of ${size.join("x")}; written: ${save}`,
  `the GPU waits ${digits(100 * waiting)} % of the time; peak allocated on the GPU ${digits(peakBytes / MIB)} MiB`,
  `adapter: ${adapter.description}; ${date}`,
];

export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  const size = values.size.split("x").map(Number);
  const record = await measure({ ...values, images: Number(values.images), width: Number(values.width), size });
  console.log([...head(record), "", textTable(HEADER, rows(record))].join("\n"));
  if (argv.length > 0) return;
  const table = markdownTable(HEADER, rows(record));
  const markdown = markdownReport("Throughput of predict", "npm run bench -- throughput", head(record), [table]);
  await writeReport(record, markdown, { kind: "throughput" });
}
