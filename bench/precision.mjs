/**
 * What float16 features cost and gain in inference: nets with seeded weights on a seeded image, with features in
 * float16 and in float32.
 *
 *   npm run bench -- precision [--model NAME,...] [--size HxW] [--rounds N] [--out STEM]
 *
 * Prints the share of pixels whose class agrees, the errors of the logits, the bytes that a prediction holds on the
 * GPU beyond the parameters, and the median of the ratios of times, taken in turn. Writes
 * bench/results/precision-<adapter>.{json,md} at the default options.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { CLASSES, cells, HEADER, MODELS, measureNet } from "./lib/precision.mjs";
import { markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const OPTIONS = {
  model: { type: "string", default: MODELS.join(",") },
  size: { type: "string", default: "320x480" },
  rounds: { type: "string", default: "7" },
  out: { type: "string" },
};

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [T, fcn] = await Promise.all(["@fcn/tensor", "@fcn/core"].map((name) => import(name)));
  const rows = [];
  let adapter;
  for (const name of values.model.split(",")) {
    const measured = await measureNet(T, fcn, name, values.size.split("x").map(Number), Number(values.rounds));
    rows.push(measured.row);
    adapter = measured.adapter;
    process.stderr.write(`${name}: done\n`);
  }
  const record = { date: new Date().toISOString(), adapter, size: values.size, rounds: Number(values.rounds), rows };
  const head = [
    `adapter: ${adapter.description}; Node ${process.versions.node}; ${record.date}`,
    `an image of ${values.size}, ${CLASSES} classes, weights and image from seeds; ${values.rounds} rounds in turn`,
    "errors: the largest difference over the largest logit, and the mean difference over the mean logit",
    "MiB: the most that a prediction holds on the GPU at once, without parameters and image",
  ];
  console.log([...head, "", textTable(HEADER, rows.map(cells))].join("\n"));
  if (args.length > 0 && !values.out) return;
  const table = markdownTable(HEADER, rows.map(cells));
  const text = markdownReport("Features in float16", "npm run bench -- precision", head, [table]);
  await writeReport(record, text, { kind: "precision", out: values.out });
}
