/**
 * What replaying steps gains: training on images in memory and predictions one after the other, with fcn8s-small, each
 * step run and each replayed, in turn.
 *
 *   npm run bench -- repeat [--size N,...] [--steps N] [--rounds N] [--out STEM]
 *
 * Prints the median time of a step and of a prediction in milliseconds, and the median of the ratios of the rounds.
 * Writes bench/results/repeat-<adapter>.{json,md}.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { median } from "./lib/median.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const OPTIONS = {
  size: { type: "string", default: "64,128" },
  steps: { type: "string", default: "40" },
  rounds: { type: "string", default: "7" },
  out: { type: "string" },
};
const MODEL = "fcn8s-small";
const PREPROCESSING = { channelOrder: "rgb", mean: [128, 128, 128], std: [64, 64, 64] };
const HEADER = ["work", "run, ms", "replayed, ms", "run / replayed"];

function samplesOf(size) {
  return [0, 1, 2, 3].map((n) => ({
    name: `${n}`,
    image: {
      data: Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * (n + 7)) % 251),
      height: size,
      width: size,
      channels: 3,
    },
    labels: Uint8Array.from({ length: size * size }, (_, i) => (i >> (n + 1)) % 2),
  }));
}

/** Milliseconds a step of a training, and a prediction, from one call of each; `prepare` runs before. */
async function openWork(T, fcn, size, steps) {
  const device = await T.createDevice({ quiet: true });
  const model = fcn.models.create(MODEL, device, { numClasses: 2, seed: 1 });
  const data = samplesOf(size);
  const images = Array.from({ length: steps }, (_, i) => data[i % data.length].image);
  const timed = async (work) => {
    const start = performance.now();
    await work();
    await device.sync();
    return (performance.now() - start) / steps;
  };
  const shared = { model, data, preprocessing: PREPROCESSING, numClasses: 2, batchSize: 1 };
  return {
    device,
    rows: {
      "training step": () => timed(() => fcn.train({ ...shared, steps, learningRate: 1e-3 })),
      prediction: () =>
        timed(async () => {
          for await (const { error } of fcn.predictAll(model, images, { preprocessing: PREPROCESSING })) {
            if (error) throw error;
          }
        }),
    },
  };
}

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [T, fcn, { setRepeating }] = await Promise.all(
    ["@fcn/tensor", "@fcn/core", "@fcn/tensor/internal"].map((name) => import(name)),
  );
  const rows = [];
  let adapter;
  for (const size of values.size.split(",").map(Number)) {
    const { device, rows: works } = await openWork(T, fcn, size, Number(values.steps));
    adapter = device.info;
    for (const [title, run] of Object.entries(works)) {
      const times = { run: [], replayed: [] };
      for (let round = 0; round <= Number(values.rounds); round++) {
        for (const side of Object.keys(times)) {
          setRepeating(device, side === "replayed");
          const time = await run();
          // The first round compiles kernels.
          if (round > 0) times[side].push(time);
        }
      }
      const ratio = median(times.run.map((time, i) => time / times.replayed[i]));
      rows.push({ work: `${title}, ${size}x${size}`, run: median(times.run), replayed: median(times.replayed), ratio });
    }
    device.destroy();
  }
  const cells = rows.map(({ work, run, replayed, ratio }) => [work, digits(run), digits(replayed), ratio.toFixed(2)]);
  console.log(textTable(HEADER, cells));
  const record = { date: new Date().toISOString().slice(0, 10), adapter, rows };
  const head = [
    `adapter: ${adapter.description}; Node ${process.versions.node}; ${record.date}`,
    `${MODEL}, ${values.rounds} rounds of ${values.steps} steps of one image, and of ${values.steps} predictions`,
  ];
  const text = markdownReport("Replayed steps", "npm run bench -- repeat", head, [markdownTable(HEADER, cells)]);
  await writeReport(record, text, { kind: "repeat", out: values.out });
}
