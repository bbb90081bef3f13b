/**
 * Five ways to see things of many sizes, as walk-throughs of the FPN paper (Lin et al. 2017, figure 1) draw them, each
 * a net or an option here: trained from nothing on the demo's satellite tiles by one recipe, and scored by object size.
 *
 *   npm run scales [-- --steps 120] [--seed 1] [--rounds 5] [--out STEM]
 *
 * A run of the default length writes bench/results/scales-<adapter>.{json,md} and docs/images/scales.png.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { COCO_SIZES, evaluate, label2image, models, predict, showImages, train } from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import sharp from "sharp";
import { EARTH_CLASSES } from "../packages/fcn/dist/demo/earth/labels.js";
import { loadEarth } from "../packages/fcn/dist/demo/earth/load.js";
import { DEMO_COLOURS } from "../packages/fcn/dist/demo/recipe.js";
import { writeReport } from "./lib/files.mjs";
import { median } from "./lib/median.mjs";
import { wholeNumbers } from "./lib/wholeNumbers.mjs";
import { PREPROCESSING } from "./quality/ours.mjs";

const PICTURE = fileURLToPath(new URL("../docs/images/scales.png", import.meta.url));
const BACKBONE = "resnet18";
const OPTIONS = { numClasses: EARTH_CLASSES.length, widthMultiplier: 0.25 };
const BATCH = 8;
const SCORING = { preprocessing: PREPROCESSING, numClasses: EARTH_CLASSES.length, sizes: COCO_SIZES };

/** The ways, each with its net, and what prediction does besides. The first two share a net. */
const WAYS = [
  { way: "image pyramid", model: `fcn32s-${BACKBONE}`, inference: { scales: [0.5, 1, 2] } },
  { way: "single map", model: `fcn32s-${BACKBONE}`, inference: {} },
  { way: "hierarchy of maps", model: `hierarchy-${BACKBONE}`, inference: {} },
  { way: "feature pyramid", model: `semantic-fpn-${BACKBONE}`, inference: {} },
  { way: "encoder and decoder", model: `unet-${BACKBONE}`, inference: {} },
];
const AS_ONE = WAYS.findIndex(({ way }) => way === "single map");

function readOptions() {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "120" },
      seed: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
      out: { type: "string" },
    },
  });
  const { steps, seed, rounds } = values;
  const numbers = wholeNumbers({ steps, seed, rounds });
  return { ...numbers, out: values.out, isWhole: process.argv.length === 2 };
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

const recipe = (model, data, steps, seed) => ({
  ...{ model, data, steps, seed, batchSize: BATCH, mirror: true },
  ...{ preprocessing: PREPROCESSING, numClasses: OPTIONS.numClasses },
  ...{ optimizer: "adamw", learningRate: 3e-3, schedule: "poly" },
});

async function trainAll(device, samples, { steps, seed }) {
  const nets = new Map();
  for (const name of new Set(WAYS.map(({ model }) => model))) {
    const net = models.create(name, device, { ...OPTIONS, seed });
    const { losses } = await train(recipe(net, samples, steps, seed));
    console.log(`${name}: trained, loss ${losses.at(-1).loss.toFixed(3)}`);
    nets.set(name, net);
  }
  return nets;
}

/** Seconds of an image, in training and in prediction, each the median of rounds in which the ways take turns. */
async function timeAll(device, nets, { train: samples, validation }, { seed, rounds }) {
  const trials = WAYS.map(() => ({ training: [], prediction: [] }));
  const batch = samples.slice(0, BATCH);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { model, inference }] of WAYS.entries()) {
      // A copy learns, so that the scored net stays as it is. The first two steps record, the others replay.
      const copy = models.create(model, device, { ...OPTIONS, seed });
      const [steps, images] = [4, validation.slice(0, 4)];
      const training = await timed(() => train(recipe(copy, batch, steps, seed)));
      const prediction = await timed(() => evaluate(nets.get(model), images, { ...SCORING, ...inference }));
      copy.dispose();
      // The first round compiles.
      if (round === 0) continue;
      trials[i].training.push(training / (steps * BATCH));
      trials[i].prediction.push(prediction / images.length);
    }
  }
  return trials.map(({ training, prediction }) => ({ training: median(training), prediction: median(prediction) }));
}

async function scoreAll(nets, validation) {
  const rows = [];
  for (const { way, model, inference } of WAYS) {
    const { meanIU, sizes } = await evaluate(nets.get(model), validation, { ...SCORING, ...inference });
    const { parameters, multiplyAdds } = models.info(model, { ...OPTIONS, height: 128, width: 128 });
    const bySize = Object.fromEntries(sizes.map((size) => [size.name, { meanIU: size.meanIU, objects: size.objects }]));
    rows.push({ way, model, inference, parameters, multiplyAdds, meanIU, sizes: bySize });
  }
  return rows;
}

const percent = (value) => (Number.isNaN(value) ? "-" : (100 * value).toFixed(1));
const title = ({ model, inference }) =>
  `\`${model}\`${inference.scales ? ` at scales ${inference.scales.join(", ")}` : ""}`;

function asMarkdown({ adapter, steps, rounds, rows }) {
  const one = rows[AS_ONE];
  const times = (row, what) => (row.seconds[what] / one.seconds[what]).toFixed(1);
  const lines = rows.map((row) => {
    const scores = [row.meanIU, ...["small", "medium", "large"].map((size) => row.sizes[size].meanIU)].map(percent);
    const sizes = [(row.parameters / 1e6).toFixed(2), (row.multiplyAdds / 1e6).toFixed(0)];
    const seconds = [times(row, "training"), times(row, "prediction")];
    return `| ${[row.way, title(row), ...sizes, ...scores, ...seconds].join(" | ")} |`;
  });
  const { small, medium, large } = one.sizes;
  const ms = ["training", "prediction"].map((what) => (1000 * one.seconds[what]).toFixed(0));
  return `# Five ways with scales

Each net at a quarter of its width, from nothing, ${steps} steps of ${BATCH} satellite tiles of 128x128; scores in per cent on tiles held back. An object is all
pixels of a class in a tile: ${small.objects} small ones (below ${COCO_SIZES[0]} pixels), ${medium.objects} medium, ${large.objects} large (from ${COCO_SIZES[1]} on). Times are those of an image, as multiples of the
single map's (${ms[0]} ms in training, ${ms[1]} ms in prediction, on ${adapter.description}), medians of ${rounds} rounds in turn.
Written by \`npm run scales\`.

| way | here | parameters, millions | multiply-adds, millions | mean IU | small | medium | large | training | prediction |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join("\n")}
`;
}

/** Tiles held back, with the image, the truth and what each way makes of it in a row. */
async function draw(nets, validation, file) {
  const images = [];
  for (const { image, labels } of validation) {
    const { height, width } = image;
    const painted = (plane) => label2image({ labels: plane, height, width }, DEMO_COLOURS);
    // Void keeps the colour of water in the truth; so little of it does not show.
    images.push(image, painted(labels.map((label) => (label === 255 ? 0 : label))));
    for (const { model, inference } of WAYS) {
      const { labels: predicted } = await predict(nets.get(model), image, {
        preprocessing: PREPROCESSING,
        ...inference,
      });
      images.push(painted(predicted));
    }
  }
  await showImages(images, { columns: WAYS.length + 2, file });
  const small = await sharp(file).png({ palette: true, colours: 128, compressionLevel: 9 }).toBuffer();
  await writeFile(file, small);
}

const options = readOptions();
const earth = await loadEarth();
const device = await createDevice({ quiet: true });
const nets = await trainAll(device, earth.train, options);
const rows = await scoreAll(nets, earth.validation);
const seconds = await timeAll(device, nets, earth, options);
const record = {
  ...{ adapter: { ...device.info }, steps: options.steps, seed: options.seed, rounds: options.rounds },
  rows: rows.map((row, i) => ({ ...row, seconds: seconds[i] })),
};
const markdown = asMarkdown(record);
console.log(`\n${markdown}`);
if (options.isWhole)
  await draw(
    nets,
    [1, 5, 12].map((i) => earth.validation[i]),
    PICTURE,
  );
if (options.isWhole || options.out) await writeReport(record, markdown, { kind: "scales", out: options.out });
device.destroy();
