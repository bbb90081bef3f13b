/**
 * What the compilers of AMD and Intel make of every kernel, on stub GPUs: registers, spills, and the mix of the hot
 * loop.
 *
 *   npm run bench -- static [--gpu vega10,navi21,navi31] [--net NAME,...] [--compare OLD.json] [--out STEM]
 *   npm run bench -- static --gpu tgl,dg2,lnl              Intel; the stub is built when it is first asked for
 *   npm run bench -- static --precision float16            features in float16; not written
 *
 * Compiles all pipelines of a training step and of a prediction at 320x480 for each net. Nothing is run. A run of all
 * nets writes bench/results/static-<gpu>.{json,md}; `--compare` prints the pipelines that differ from those of an
 * earlier record of the same GPU, among those of the nets that are compiled.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { compile, NETS, vendorOf } from "./stub/driver.mjs";

const OPTIONS = {
  gpu: { type: "string", default: "vega10,navi21,navi31" },
  net: { type: "string", default: NETS.join(",") },
  precision: { type: "string", default: "float32" },
  compare: { type: "string" },
  out: { type: "string" },
};

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** All nets on one GPU: the figures of each pipeline, and how many pipelines of a net have what should not be. */
async function measure(gpu, nets, precision) {
  const rows = {};
  const summaries = [];
  let description = gpu;
  for (const net of nets) {
    const { adapter, pipelines, train, predict } = await compile(gpu, net, precision);
    description = adapter;
    const all = Object.values(pipelines);
    const faults = vendorOf(gpu).summarize(all);
    const dispatches = [train, predict].map((counts) => sum(Object.values(counts)));
    summaries.push([net, ...[all.length, ...faults, ...dispatches].map(String)]);
    for (const [key, figures] of Object.entries(pipelines)) {
      rows[key] ??= { ...figures, dispatches: {} };
      rows[key].dispatches[net] = { train: train[key] ?? 0, predict: predict[key] ?? 0 };
    }
    console.error(`${gpu}: ${net}: ${all.length} pipelines`);
  }
  return { date: new Date().toISOString().slice(0, 10), gpu, adapter: { device: gpu, description }, summaries, rows };
}

/** Rows with the most multiply-adds a turn of the loop first, then by name. */
const ordered = (rows) =>
  Object.entries(rows).sort(
    (a, b) => (b[1].loop?.multiplyAdds ?? 0) - (a[1].loop?.multiplyAdds ?? 0) || a[0].localeCompare(b[0]),
  );

/**
 * What became of each pipeline of these nets since an earlier record: its key, its figures then and its figures in
 * `record`. Those of other nets in the earlier record are passed over.
 */
export function differences({ gpu, rows }, earlier, nets) {
  if (earlier.gpu !== gpu) throw new Error(`--compare: the earlier record is of ${earlier.gpu}, not of ${gpu}`);
  const text = (row) => (row ? vendorOf(gpu).cells(row).join(" ") : "none");
  const before = Object.entries(earlier.rows).filter(([, { dispatches }]) => nets.some((net) => net in dispatches));
  const known = Object.fromEntries(before);
  return [...new Set([...Object.keys(known), ...Object.keys(rows)])]
    .map((key) => [key, text(earlier.rows[key]), text(rows[key])])
    .filter(([, then, now]) => then !== now);
}

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [gpus, nets] = [values.gpu.split(","), values.net.split(",")];
  for (const gpu of gpus) {
    const { HEAD, HEADER, SUMMARY, cells } = vendorOf(gpu);
    const summaryHeader = ["net", "pipelines", ...SUMMARY, "dispatches: step", "prediction"];
    const header = ["pipeline", ...HEADER];
    const record = await measure(gpu, nets, values.precision);
    const table = ordered(record.rows).map(([key, figures]) => [key, ...cells(figures)]);
    console.log(`\n${textTable(summaryHeader, record.summaries)}\n\n${textTable(header, table)}`);
    if (values.compare) {
      const changed = differences(record, JSON.parse(readFileSync(values.compare, "utf8")), nets);
      console.log(`\n${changed.length} pipelines differ\n${textTable(["pipeline", "before", "after"], changed)}`);
    }
    const isWhole = nets.join() === NETS.join() && values.precision === OPTIONS.precision.default;
    if (values.out === undefined && !isWhole) continue;
    const tables = [markdownTable(summaryHeader, record.summaries), "", markdownTable(header, table)];
    const head = [`GPU: ${gpu}, by ${record.adapter.description}; ${record.date}`, ...HEAD];
    const command = `npm run bench -- static --gpu ${gpu}`;
    const text = markdownReport(`Kernels on ${gpu}, as compiled`, command, head, tables);
    await writeReport(record, text, { kind: "static", out: values.out && `${values.out}-${gpu}` });
  }
}
