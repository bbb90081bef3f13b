/**
 * What float16 features cost and gain: nets with seeded weights on a seeded image, with features in float16 and in
 * float32.
 *
 *   npm run bench -- precision [--model NAME,...] [--size HxW] [--rounds N] [--steps N] [--out STEM]
 *
 * Prints the share of pixels whose class agrees, the errors of the logits, the bytes that a prediction holds on the
 * GPU beyond the parameters, and the median of the ratios of times, taken in turn; then the losses of training steps,
 * their bytes and times. Writes bench/results/precision-<adapter>.{json,md} at the default options.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { CLASSES, cells, HEADER, MODELS, measureNet } from "./lib/precision.mjs";
import * as training from "./lib/precisionTraining.mjs";
import { markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const OPTIONS = {
  model: { type: "string", default: MODELS.join(",") },
  size: { type: "string", default: "320x480" },
  rounds: { type: "string", default: "7" },
  steps: { type: "string", default: "24" },
  out: { type: "string" },
};

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [T, fcn] = await Promise.all(["@fcn/tensor", "@fcn/core"].map((name) => import(name)));
  const [names, size] = [values.model.split(","), values.size.split("x").map(Number)];
  const rows = [];
  let adapter;
  for (const name of names) {
    const measured = await measureNet(T, fcn, name, size, Number(values.rounds));
    rows.push(measured.row);
    adapter = measured.adapter;
    process.stderr.write(`${name}: predictions done\n`);
  }
  const trained = [];
  for (const name of names.filter((name) => training.MODELS.includes(name))) {
    trained.push(await training.measureTraining(T, fcn, name, size, Number(values.steps)));
    process.stderr.write(`${name}: training done\n`);
  }
  const { rounds, steps } = values;
  const record = { date: new Date().toISOString(), adapter, size: values.size, rounds: Number(rounds), rows, trained };
  const head = [
    `adapter: ${adapter.description}; Node ${process.versions.node}; ${record.date}`,
    `an image of ${values.size}, ${CLASSES} classes, weights and image from seeds; ${rounds} rounds in turn`,
    "errors: the largest difference over the largest logit, and the mean difference over the mean logit",
    "MiB: the most that a prediction, or a training step, holds on the GPU at once, without parameters and image",
    `training: ${steps} steps of SGD on one image from random weights, with a scaled loss in float16; the run that is ` +
      "off by 2^-12 is float32 on an image changed by as much, which shows what roundings alone do",
  ];
  const tables = [
    [HEADER, rows.map(cells)],
    [training.HEADER, trained.map(training.cells)],
  ];
  console.log([...head, ...tables.map((table) => `\n${textTable(...table)}`)].join("\n"));
  if (args.length > 0 && !values.out) return;
  const text = markdownReport(
    "Features in float16",
    "npm run bench -- precision",
    head,
    tables.flatMap((table) => [markdownTable(...table), ""]),
  );
  await writeReport(record, text, { kind: "precision", out: values.out });
}
