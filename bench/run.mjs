/**
 * Compares fcn with tfjs-backend-webgpu on one adapter.
 *
 *   npm run bench -- [PATTERN ...] [--rows REGEX] [--repeats N] [--out STEM] [--list]
 *
 *   npm run bench -- memory       peak memory beside what must be held (memory.mjs)
 *   npm run bench -- throughput   images per second of predict on a folder (throughput.mjs)
 *   npm run bench -- builds       two builds of fcn on the same rows (builds.mjs)
 *   npm run bench -- static       what AMD's compiler makes of each kernel, on stub GPUs (static.mjs)
 *   npm run bench -- host         what a step costs the host, on a stub GPU (host.mjs)
 *   npm run bench -- repeat       training and prediction with steps that are run and replayed (repeat.mjs)
 *   npm run bench -- loader       images per second of the data loader, and how long training waits (loader.mjs)
 *
 * Patterns choose rows by title. A run of all rows writes bench/results/<adapter>.{json,md}; a part of them is written
 * only where --out says. Exits with 1 when the two libraries disagree on a row, with 2 on wrong usage.
 */
import { parseArgs } from "node:util";
import { readRepeats, runBench, selectRows } from "./bench.mjs";
import { writeReport } from "./lib/files.mjs";
import { asMarkdown, asText } from "./lib/report.mjs";
import { digits } from "./lib/table.mjs";
import { ROWS } from "./rows/index.mjs";

const OPTIONS = {
  rows: { type: "string" },
  repeats: { type: "string", default: "5" },
  out: { type: "string" },
  list: { type: "boolean", default: false },
};

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const repeats = readRepeats(values.repeats);
    const rows = selectRows(values.rows ? [...positionals, values.rows] : positionals);
    return { ...values, repeats, rows };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

async function main() {
  const [command, ...rest] = process.argv.slice(2);
  if (["builds", "host", "memory", "static", "throughput", "loader", "repeat"].includes(command)) {
    await (await import(`./${command}.mjs`)).main(rest);
    return 0;
  }
  const { rows, repeats, out, list } = readArguments();
  if (list) {
    for (const { title } of rows) console.log(title);
    return 0;
  }
  const record = await runBench({
    rows,
    repeats,
    onRow: ({ title, ratio }, index) => console.error(`${index + 1}/${rows.length} ${title}: ${digits(ratio)}x`),
  });
  console.log(`\n${asText(record)}`);
  if (out || rows.length === ROWS.length) {
    await writeReport(record, asMarkdown(record), { out });
  }
  return record.summary.disagreeing ? 1 : 0;
}

// Dawn keeps the event loop alive for as long as its GPU object is pinned.
process.exit(
  await main().catch((error) => {
    console.error(process.env.DEBUG ? error : error.message);
    return 1;
  }),
);
