/**
 * Compares two builds of fcn, say those of two commits, in one process on one adapter.
 *
 *   npm run bench -- builds ROOT [PATTERN ...] [--repeats N] [--out STEM]
 *
 * ROOT is another checkout whose packages are built. Patterns choose rows by title. A ratio above 1 means that this
 * checkout is faster.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readRepeats } from "./bench.mjs";
import { compareOutputs } from "./lib/compare.mjs";
import { openDawn } from "./lib/dawn.mjs";
import { writeReport } from "./lib/files.mjs";
import { geometricMean } from "./lib/report.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { interleave } from "./lib/timing.mjs";
import { selectRows } from "./rows/select.mjs";
import { openOurs } from "./sides/ours.mjs";

const OPTIONS = { repeats: { type: "string", default: "9" }, out: { type: "string" } };
const HEADER = ["operation", "other, ms", "this, ms", "other / this", "difference"];

async function measure(row, sides, repeats) {
  const open = row.opens.ours ?? row.opens.host;
  const opened = await Promise.all(sides.map((side) => open(side, {})));
  try {
    const [before, after] = [await sides[0].download(opened[0].step), await sides[1].download(opened[1].step)];
    const difference = Math.max(...Object.values(compareOutputs(after, before)));
    const { other, own } = await interleave(
      { other: () => sides[0].run(opened[0].step), own: () => sides[1].run(opened[1].step) },
      repeats,
    );
    const ratio = other.median / own.median;
    return { title: row.title, otherMs: other.median, ownMs: own.median, ratio, difference };
  } finally {
    for (const [i, { owned }] of opened.entries()) sides[i].dispose(owned);
  }
}

const cells = ({ title, otherMs, ownMs, ratio, difference }) => [
  title,
  digits(otherMs),
  digits(ownMs),
  digits(ratio),
  difference.toExponential(1),
];

export async function main(args) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [root, ...patterns] = positionals;
  if (root === undefined) throw new Error("which other build? npm run bench -- builds ROOT");
  const [chosen, repeats] = [selectRows(patterns), readRepeats(values.repeats)];
  const { info: adapter } = await openDawn();
  const sides = [await openOurs(resolve(root)), await openOurs()];
  const rows = [];
  for (const row of chosen) {
    rows.push(await measure(row, sides, repeats));
    console.error(`${row.title}: ${digits(rows.at(-1).ratio)}`);
  }
  for (const side of sides) side.close();
  const summary = `geometric mean: ${digits(geometricMean(rows.map(({ ratio }) => ratio)))}`;
  console.log(`\n${textTable(HEADER, rows.map(cells))}\n\n${summary}`);
  if (values.out === undefined) return;
  const table = [markdownTable(HEADER, rows.map(cells)), "", summary];
  const text = markdownReport(
    "Two builds of fcn",
    "npm run bench -- builds",
    [`adapter: ${adapter.description}`],
    table,
  );
  await writeReport({ adapter, rows }, text, { out: values.out });
}
