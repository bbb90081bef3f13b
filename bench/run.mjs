/**
 * Compares fcn with its peers (sides/index.mjs) on one adapter.
 *
 *   npm run bench -- [PATTERN ...] [--rows REGEX] [--group NAME,...] [--repeats N] [--out STEM] [--list]
 *
 *   npm run bench -- memory       peak memory beside what must be held (memory.mjs)
 *   npm run bench -- throughput   images per second of predict on a folder (throughput.mjs)
 *   npm run bench -- builds       two builds of fcn on the same rows (builds.mjs)
 *   npm run bench -- static       what AMD's and Intel's compilers make of each kernel, on stub GPUs (static.mjs)
 *   npm run bench -- tiles        the same of every tile of the convolutions (tiles.mjs)
 *   npm run bench -- gpu          all that a GPU of your own should answer, in six minutes (gpu.mjs)
 *   npm run bench -- chromium     FCN-8s in Chromium on SwiftShader, with and without subgroups (chromium.mjs)
 *   npm run bench -- host         what a step costs the host, on a stub GPU (host.mjs)
 *   npm run bench -- repeat       training and prediction with steps that are run and replayed (repeat.mjs)
 *   npm run bench -- heads        losses and labels from coarse scores, and from maps of full size (heads.mjs)
 *   npm run bench -- precision    features in float16: errors, bytes and time beside float32 (precision.mjs)
 *   npm run bench -- queue        workers of a queue beside one machine, jobs, memory and kills (queue.mjs)
 *   npm run bench -- loader       images per second of the data loader, and how long training waits (loader.mjs)
 *
 * Patterns choose rows by title, --group by group; the group "fresh" holds first predictions and peak memory. A run of
 * everything writes bench/results/<adapter>.{json,md,svg}; a part of it is written only where --out says. Exits with 1
 * when a peer disagrees on a row, with 2 on wrong usage.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { readRepeats, runBench } from "./bench.mjs";
import { drawChart } from "./lib/chart.mjs";
import { reportStem, writeReport } from "./lib/files.mjs";
import { asMarkdown, asText } from "./lib/report.mjs";
import { digits } from "./lib/table.mjs";
import { ROWS } from "./rows/index.mjs";
import { FRESH, selectRows } from "./rows/select.mjs";
import { PEERS } from "./sides/index.mjs";

const OPTIONS = {
  rows: { type: "string" },
  group: { type: "string" },
  repeats: { type: "string", default: "5" },
  out: { type: "string" },
  list: { type: "boolean", default: false },
};

/** Each is a module of its own. */
const COMMANDS = [
  ...[
    "builds",
    "chromium",
    "gpu",
    "heads",
    "host",
    "loader",
    "memory",
    "precision",
    "queue",
    "repeat",
    "static",
    "throughput",
    "tiles",
  ],
];

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const repeats = readRepeats(values.repeats);
    const patterns = values.rows ? [...positionals, values.rows] : positionals;
    const groups = values.group?.split(",") ?? [];
    const rows = selectRows(patterns, groups);
    const fresh = groups.length > 0 ? groups.includes(FRESH) : patterns.length === 0;
    return { ...values, repeats, rows, fresh };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

async function main() {
  const [command, ...rest] = process.argv.slice(2);
  if (COMMANDS.includes(command)) {
    await (await import(`./${command}.mjs`)).main(rest);
    return 0;
  }
  const { rows, repeats, fresh, out, list } = readArguments();
  if (list) {
    for (const { group, title } of rows) console.log(`${group}: ${title}`);
    if (fresh) console.log(`${FRESH}: first predictions and peak memory`);
    return 0;
  }
  const ratios = ({ peers }) =>
    Object.entries(peers).map(([name, { ratio }]) => `${PEERS[name].short} ${digits(ratio)}x`);
  const record = await runBench({
    rows,
    repeats,
    fresh,
    onRow: (row, index) => console.error(`${index + 1}/${rows.length} ${row.title}: ${ratios(row).join(", ")}`),
  });
  console.log(`\n${asText(record)}`);
  if (out || (fresh && rows.length === ROWS.length)) {
    const svg = rows.length > 0 ? await drawChart(record.rows) : undefined;
    const chart = svg && `${basename(reportStem(record, { out }))}.svg`;
    await writeReport(record, asMarkdown(record, chart), { out, svg });
  }
  return record.summary.some(({ disagreeing }) => disagreeing.length > 0) ? 1 : 0;
}

// Dawn keeps the event loop alive for as long as its GPU object is pinned.
process.exit(
  await main().catch((error) => {
    console.error(process.env.DEBUG ? error : error.message);
    return 1;
  }),
);
