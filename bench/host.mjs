/**
 * What a step costs the host: training and prediction at 320x480 on a stub GPU, which takes all work and does none.
 *
 *   npm run bench -- host [--gpu navi21] [--net NAME,...] [--steps N] [--out STEM]
 *
 * Prints the lowest and the median time, the time per dispatch, and where it goes: a sampling profile of as many steps
 * again, by part of the code. A run of all nets writes bench/results/host-<gpu>.{json,md}.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { NETS, runOnStub } from "./stub/driver.mjs";

const OPTIONS = {
  gpu: { type: "string", default: "navi21" },
  net: { type: "string", default: NETS.join(",") },
  steps: { type: "string", default: "100" },
  out: { type: "string" },
};

const WORK = {
  train: "training step",
  trainCaptured: "training step, captured",
  predict: "prediction",
  predictCaptured: "prediction, captured",
};
const PARTS = ["WebGPU", "planning", "recording", "autograd and ops", "garbage"];
const HEADER = [
  "work",
  "dispatches",
  "lowest, ms",
  "median, ms",
  "us a dispatch",
  ...PARTS.map((part) => `${part}, %`),
  "",
];

const cells = ({ work, dispatches, lowest, median, parts }) => [
  work,
  String(dispatches),
  digits(lowest),
  digits(median),
  digits((1000 * lowest) / dispatches),
  ...PARTS.map((part) => String(Math.round(100 * (parts[part] ?? 0)))),
  "",
];

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const nets = values.net.split(",");
  const rows = [];
  let description = values.gpu;
  for (const net of nets) {
    const { adapter, rows: found } = (await runOnStub(values.gpu, "steps.mjs", [net, values.steps])).result;
    description = adapter;
    for (const [work, title] of Object.entries(WORK)) rows.push({ work: `${net}: ${title}`, ...found[work] });
    console.error(
      `${net}: ${Object.keys(WORK)
        .map((work) => digits(found[work].lowest))
        .join(", ")} ms`,
    );
  }
  console.log(`\n${textTable(HEADER, rows.map(cells))}`);
  if (values.out === undefined && nets.join() !== NETS.join()) return;
  const record = { date: new Date().toISOString().slice(0, 10), adapter: { device: values.gpu, description }, rows };
  const head = [
    `GPU: a stub of ${values.gpu}, by ${description}; Node ${process.versions.node}; ${record.date}`,
    `${values.steps} steps each, image of 320x480; shares are of all samples of a profile of them`,
  ];
  const text = markdownReport("Host time", "npm run bench -- host", head, [markdownTable(HEADER, rows.map(cells))]);
  await writeReport(record, text, { kind: "host", out: values.out });
}
