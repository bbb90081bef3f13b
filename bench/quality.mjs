/**
 * Trains the same net on the same data by the same recipe here and in PyTorch, and shows the scores side by side.
 *
 *   npm run quality [-- --set earth,composite,brain] [--seeds 3] [--steps 100] [--nudge X] [--out STEM]
 *
 * A seed fixes the initial values and the order of the images, for both sides. --nudge multiplies the initial values on
 * our side by 1 + X, which shows how far runs come apart that began all but alike. PyTorch is the system's (Debian's
 * python3-torch). A run of everything writes bench/results/quality-<adapter>.{json,md}; a part of it is written only
 * where --out says. Exits with 1 where the mean IU of both differ by more than that of the seeds does.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SegmentationMetrics } from "@fcn/core";
import { createDevice, io } from "@fcn/tensor";
import { fail } from "../scripts/lib/system.mjs";
import { writeReport } from "./lib/files.mjs";
import { PYTHON } from "./lib/python.mjs";
import { wholeNumbers } from "./lib/wholeNumbers.mjs";
import { compare } from "./quality/agreement.mjs";
import { drawBatches, layersOf, makeNet, PREPROCESSING, RECIPE, runOurs } from "./quality/ours.mjs";
import { ensurePackages, SETS } from "./quality/sets.mjs";

const BATCH = 8;
const TORCH = fileURLToPath(new URL("quality/torch_side.py", import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      set: { type: "string", default: Object.keys(SETS).join(",") },
      seeds: { type: "string", default: "3" },
      steps: { type: "string", default: "100" },
      nudge: { type: "string", default: "0" },
      out: { type: "string" },
    },
  });
  const sets = values.set.split(",");
  const unknown = sets.find((name) => !Object.hasOwn(SETS, name));
  if (unknown !== undefined) fail(`--set names ${unknown}`, `use any of ${Object.keys(SETS).join(", ")}`);
  const numbers = wholeNumbers({ seeds: values.seeds, steps: values.steps });
  const nudge = Number(values.nudge);
  if (!(Math.abs(nudge) < 1)) fail(`--nudge is ${values.nudge}`, "use a small number such as 1e-7");
  const isWhole = ["set", "seeds", "steps", "nudge"].every(
    (name) => !process.argv.some((arg) => arg.startsWith(`--${name}`)),
  );
  return { sets, ...numbers, nudge, out: values.out, isWhole };
}

function ensureTorch() {
  const { status } = spawnSync(PYTHON, ["-c", "import torch"], { stdio: "ignore" });
  if (status !== 0) fail(`${PYTHON} has no PyTorch to compare with`, "sudo apt-get install -y python3-torch");
}

const scoresOf = (confusion) => {
  const metrics = new SegmentationMetrics(confusion.length);
  metrics.addConfusion(confusion.flat());
  const { meanIU, pixelAccuracy } = metrics.compute();
  return { meanIU, pixelAccuracy };
};

/** Writes samples [N, height, width, 3] and their labels [N, height, width] for PyTorch. */
function arraysOf(part, samples) {
  const { height, width } = samples[0].image;
  const stack = (pick, shape) => {
    const data = new Uint8Array(samples.length * shape.reduce((a, b) => a * b, 1));
    for (const [i, sample] of samples.entries()) data.set(pick(sample), i * (data.length / samples.length));
    return { dtype: "uint8", shape: [samples.length, ...shape], data };
  };
  return {
    [`${part}_images`]: stack(({ image }) => image.data, [height, width, 3]),
    [`${part}_labels`]: stack(({ labels }) => labels, [height, width]),
  };
}

/** The values of a net by name, on the host. */
async function hostState(net) {
  const read = async ([key, tensor]) => [key, { dtype: tensor.dtype, shape: tensor.shape, data: await tensor.data() }];
  return Object.fromEntries(await Promise.all(Object.entries(net.stateDict()).map(read)));
}

const nudged = (state, by) =>
  Object.fromEntries(
    Object.entries(state).map(([key, array]) => [key, { ...array, data: array.data.map((value) => value * (1 + by)) }]),
  );

async function runSet(name, device, { seeds, steps, nudge }) {
  const set = await SETS[name].load();
  const { classes, train, validation } = set;
  const folder = mkdtempSync(join(tmpdir(), "fcn-quality-"));
  await io.writeNpz(join(folder, "data.npz"), { ...arraysOf("train", train), ...arraysOf("validation", validation) });
  const { height, width } = train[0].image;
  const batches = {};
  const ours = {};
  for (let seed = 1; seed <= seeds; seed++) {
    batches[seed] = drawBatches(train.length, Math.min(BATCH, train.length), steps, seed);
    const net = makeNet(device, classes.length, seed);
    const state = await hostState(net);
    await io.writeNpz(join(folder, `weights-${seed}.npz`), state);
    if (nudge !== 0) net.loadStateDict(nudged(state, nudge));
    ours[seed] = await runOurs(net, set, batches[seed]);
    net.dispose();
    console.log(`${name}, seed ${seed}: mean IU ${(100 * scoresOf(ours[seed].confusion).meanIU).toFixed(1)} here`);
  }
  const layers = layersOf(classes.length, height, width);
  const job = { ...layers, classes, batches, recipe: RECIPE, preprocessing: PREPROCESSING };
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  const { status, stdout, stderr } = spawnSync(PYTHON, [TORCH, folder], { encoding: "utf8", maxBuffer: 2 ** 28 });
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`PyTorch's side failed:\n${stderr}`);
  const theirs = JSON.parse(stdout);
  const all = (sides, score) => Object.values(sides).map(({ confusion }) => scoresOf(confusion)[score]);
  const both = (score) => ({ ours: all(ours, score), theirs: all(theirs.seeds, score) });
  const firstLoss = Object.keys(ours).map((seed) => Math.abs(ours[seed].firstLoss - theirs.seeds[seed].firstLoss));
  const counts = { train: train.length, validation: validation.length, height, width };
  return {
    ...{ name, title: SETS[name].title, classes, ...counts, torch: theirs.version, firstLoss: Math.max(...firstLoss) },
    ...{ meanIU: both("meanIU"), pixelAccuracy: both("pixelAccuracy") },
  };
}

/** One seed has no spread to be compared with. */
const VERDICTS = { true: "yes", false: "NO", undefined: "-" };
const percent = (value) => (100 * value).toFixed(1);

function asMarkdown({ adapter, seeds, steps, sets }) {
  const row = (set, score, label) => {
    const { ours, theirs, difference, differences, agree } = compare(set[score].ours, set[score].theirs);
    const side = ({ mean, span }) => `${percent(mean)} (${percent(span)})`;
    return `| ${set.title} | ${label} | ${side(ours)} | ${side(theirs)} | ${percent(difference)} | ${differences.map(percent).join(", ")} | ${VERDICTS[agree]} |`;
  };
  const lines = sets.flatMap((set) => [row(set, "meanIU", "mean IU"), row(set, "pixelAccuracy", "pixel accuracy")]);
  const sizes = sets.map(
    (s) => `${s.name}: ${s.train} images to learn from, ${s.validation} held back, ${s.height}x${s.width}`,
  );
  return `# Quality beside PyTorch

FCN-8s (\`fcn8s-small\`) from the same initial values on the same batches by the same recipe, ${steps} steps of ${BATCH} images, here (${adapter.description})
and in PyTorch ${sets[0].torch} on the CPU. Per cent on images held back: the mean over ${seeds} seeds, and in brackets how far these lie apart.
Both agree where their means differ by less than the seeds of one of them do. Written by \`npm run quality\`.

| set | score | here | PyTorch | difference | by seed | agree |
| --- | --- | ---: | ---: | ---: | --- | --- |
${lines.join("\n")}

${sizes.join("; ")}. The losses of the first step differ by at most ${Math.max(...sets.map((s) => s.firstLoss)).toExponential(0)}.
`;
}

const options = readOptions();
ensureTorch();
ensurePackages(options.sets);
const device = await createDevice({ quiet: true });
const sets = [];
for (const name of options.sets) sets.push(await runSet(name, device, options));
const record = { adapter: { ...device.info }, seeds: options.seeds, steps: options.steps, sets };
device.destroy();
const markdown = asMarkdown(record);
console.log(`\n${markdown}`);
if (options.isWhole || options.out) await writeReport(record, markdown, { kind: "quality", out: options.out });
const apart = sets.filter(({ meanIU }) => compare(meanIU.ours, meanIU.theirs).agree === false);
if (apart.length > 0) {
  console.error(`error: on ${apart.map(({ name }) => name).join(" and ")} the two differ by more than the seeds do`);
  process.exitCode = 1;
}
