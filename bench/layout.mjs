/**
 * Which memory layout should activations have? Times the same five operations in NCHW and NHWC, with and without
 * subgroups, as raw WGSL through Dawn. Prints a table and writes bench/results/layout-<adapter>.{json,md}.
 *
 *   node bench/layout.mjs [--cases REGEX] [--repeats N] [--out STEM]
 */
import { parseArgs } from "node:util";
import { CASES } from "./layout/cases.mjs";
import { openDevice } from "./layout/device.mjs";
import { measureCase } from "./layout/measure.mjs";
import { openDawn } from "./lib/dawn.mjs";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownTable, textTable } from "./lib/table.mjs";

const HEADER = ["operation", "ms", "rate", "against NCHW", "scheme (best tile)"];

function tableRows(cases) {
  return cases.flatMap(({ name, schemes }) => {
    const base = schemes.find(({ scheme }) => scheme === "nchw").ms;
    return schemes.map(({ label, tile, ms, gflops, gbytes }) => [
      name,
      digits(ms),
      gflops ? `${digits(gflops)} GFLOP/s` : `${digits(gbytes)} GB/s`,
      `${digits(base / ms)}x`,
      `${label} (${tile})`,
    ]);
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "" },
      repeats: { type: "string", default: "7" },
      out: { type: "string" },
    },
  });
  const dawn = await openDawn();
  const { device, subgroupSize } = await openDevice(dawn);
  const chosen = CASES.filter(({ name }) => new RegExp(values.cases).test(name));
  const cases = [];
  for (const spec of chosen) {
    cases.push(await measureCase(device, subgroupSize, spec, Number(values.repeats)));
    process.stderr.write(`${spec.name}: done\n`);
  }
  const rows = tableRows(cases);
  const head = `${dawn.info.description}; subgroup size ${subgroupSize || "not fixed: subgroup schemes left out"}`;
  console.log(
    `${head}\nmedian ms of ${values.repeats} interleaved repetitions; every result checked against float64\n`,
  );
  console.log(textTable(HEADER, rows));
  if (values.out || chosen.length === CASES.length) {
    const record = {
      date: new Date().toISOString(),
      adapter: dawn.info,
      subgroupSize,
      repeats: +values.repeats,
      cases,
    };
    const note = `Printed by \`node bench/layout.mjs\` on ${record.date.slice(0, 10)}; median of ${values.repeats} interleaved repetitions.`;
    const markdown = `# Memory layouts\n\n${head}. ${note}\n\n${markdownTable(HEADER, rows)}\n`;
    await writeReport(record, markdown, { kind: "layout", out: values.out });
  }
  device.destroy();
  return dawn;
}

await main();
// Dawn keeps the event loop alive for as long as its GPU object is pinned.
process.exit(0);
