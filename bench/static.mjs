/**
 * What AMD's own compiler makes of every kernel, on stub GPUs: registers, waves, memory, and the mix of the hot loop.
 *
 *   npm run bench -- static [--gpu vega10,navi21,navi31] [--net NAME,...] [--compare OLD.json] [--out STEM]
 *
 * Compiles all pipelines of a training step and of a prediction at 320x480 for each net. Nothing is run. A run of all
 * nets writes bench/results/static-<gpu>.{json,md}; `--compare` prints the pipelines that differ from those of an
 * earlier record of the same GPU.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { compile, NETS } from "./stub/driver.mjs";

const OPTIONS = {
  gpu: { type: "string", default: "vega10,navi21,navi31" },
  net: { type: "string", default: NETS.join(",") },
  compare: { type: "string" },
  out: { type: "string" },
};

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** The figures of one net: pipelines, those with scratch or spills, the fewest waves, and dispatches. */
function summarize(net, { pipelines, train, predict }) {
  const all = Object.values(pipelines);
  return {
    net,
    pipelines: all.length,
    scratch: all.filter(({ scratchBytes }) => scratchBytes > 0).length,
    spills: all.filter(({ spills }) => spills > 0).length,
    fewestWaves: Math.min(...all.map(({ waves }) => waves)),
    trainDispatches: sum(Object.values(train)),
    predictDispatches: sum(Object.values(predict)),
  };
}

/** All nets on one GPU. */
async function measure(gpu, nets) {
  const rows = {};
  const summaries = [];
  let description = gpu;
  for (const net of nets) {
    const result = await compile(gpu, net);
    description = result.adapter;
    summaries.push(summarize(net, result));
    for (const [key, figures] of Object.entries(result.pipelines)) {
      rows[key] ??= { ...figures, dispatches: {} };
      rows[key].dispatches[net] = { train: result.train[key] ?? 0, predict: result.predict[key] ?? 0 };
    }
    console.error(`${gpu}: ${net}: ${summaries.at(-1).pipelines} pipelines`);
  }
  return { date: new Date().toISOString().slice(0, 10), gpu, adapter: { device: gpu, description }, summaries, rows };
}

const SUMMARY = ["net", "pipelines", "with scratch", "with spills", "fewest waves", "dispatches: step", "prediction"];
const summaryCells = (s) => [
  s.net,
  ...[s.pipelines, s.scratch, s.spills, s.fewestWaves, s.trainDispatches, s.predictDispatches].map(String),
];

const HEADER = [
  "pipeline",
  "VGPRs",
  "waves",
  "scratch, B",
  "spills",
  "workgroup, B",
  "multiply-adds",
  "of slots",
  "words",
  "a word",
  "of peak",
  "bound by",
];
const percent = (value) => `${Math.round(100 * value)} %`;

function cells([key, { registers, waves, scratchBytes, spills, workgroupBytes, loop }]) {
  const figures = [registers, waves, scratchBytes, spills, workgroupBytes].map(String);
  if (!loop?.multiplyAdds) return [key, ...figures, "", "", "", "", "", ""];
  const { multiplyAdds, slots, memoryWords, share, bound } = loop;
  const mix = [String(multiplyAdds), percent(multiplyAdds / slots), String(memoryWords)];
  return [key, ...figures, ...mix, digits(multiplyAdds / memoryWords), percent(share), bound];
}

/** Rows with the most multiply-adds a dispatch loop first, then by name. */
const ordered = (rows) =>
  Object.entries(rows).sort(
    (a, b) => (b[1].loop?.multiplyAdds ?? 0) - (a[1].loop?.multiplyAdds ?? 0) || a[0].localeCompare(b[0]),
  );

/** What became of each pipeline since an earlier record. */
function differences({ rows }, earlier) {
  const text = (row) => (row ? cells(["", row]).slice(1).join(" ") : "none");
  return [...new Set([...Object.keys(earlier.rows), ...Object.keys(rows)])]
    .filter((key) => text(earlier.rows[key]) !== text(rows[key]))
    .map((key) => [key, text(earlier.rows[key]), text(rows[key])]);
}

const HEAD = [
  "the hot loop is the innermost one with the most multiply-adds; all figures of it are per lane and turn",
  "of slots: multiply-adds among the instructions of the vector units; words: read from memory; a word: multiply-adds a word",
  "of peak: an upper bound, by the tightest of vector slots, first-level cache and workgroup memory, each lane reading words of its own",
];

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [gpus, nets] = [values.gpu.split(","), values.net.split(",")];
  for (const gpu of gpus) {
    const record = await measure(gpu, nets);
    const entries = ordered(record.rows);
    console.log(
      `\n${textTable(SUMMARY, record.summaries.map(summaryCells))}\n\n${textTable(HEADER, entries.map(cells))}`,
    );
    if (values.compare) {
      const changed = differences(record, JSON.parse(readFileSync(values.compare, "utf8")));
      console.log(`\n${changed.length} pipelines differ\n${textTable(["pipeline", "before", "after"], changed)}`);
    }
    if (values.out === undefined && nets.join() !== NETS.join()) continue;
    const table = [
      markdownTable(SUMMARY, record.summaries.map(summaryCells)),
      "",
      markdownTable(HEADER, entries.map(cells)),
    ];
    const head = [`GPU: ${gpu}, by ${record.adapter.description}; ${record.date}`, ...HEAD];
    const text = markdownReport(`Kernels on ${gpu}, as compiled`, "npm run bench -- static", head, table);
    await writeReport(record, text, { kind: "static", out: values.out && `${values.out}-${gpu}` });
  }
}
