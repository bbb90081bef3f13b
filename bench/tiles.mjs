/**
 * What each tile of the convolution family becomes on stub GPUs, at each size of subgroups that can be asked for.
 *
 *   npm run bench -- tiles [--gpu tgl,dg2,lnl] [--out STEM]
 *
 * Writes bench/results/tiles-<gpu>.{json,md}.
 */
import { parseArgs } from "node:util";
import { TILE_CASES } from "./lib/convolutions.mjs";
import { writeReport } from "./lib/files.mjs";
import { markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { compileOnStub, vendorOf } from "./stub/driver.mjs";

const OPTIONS = { gpu: { type: "string", default: "tgl,dg2,lnl" }, out: { type: "string" } };

/** The rows of each convolution in the order of their share of the peak. */
const ordered = (pipelines) =>
  Object.entries(pipelines)
    .map(([key, figures]) => ({ names: key.split(" | "), figures }))
    .sort(
      (a, b) => a.names[0].localeCompare(b.names[0]) || (b.figures.loop?.share ?? 0) - (a.figures.loop?.share ?? 0),
    );

/** A program for each convolution: what the drivers print of all of them is too long for one string. */
async function compileAll(gpu) {
  const all = { pipelines: {}, refused: {} };
  for (const name of Object.keys(TILE_CASES)) {
    const { adapter, pipelines, refused } = await compileOnStub(gpu, "compileTiles.mjs", [name]);
    all.adapter = adapter;
    Object.assign(all.pipelines, pipelines);
    Object.assign(all.refused, refused);
    console.error(`${gpu}: ${name}: ${Object.keys(pipelines).length} pipelines`);
  }
  return all;
}

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  for (const gpu of values.gpu.split(",")) {
    const { HEAD, HEADER, cells } = vendorOf(gpu);
    const { adapter, pipelines, refused } = await compileAll(gpu);
    const header = ["convolution", "tile", "subgroups", ...HEADER];
    const table = ordered(pipelines).map(({ names, figures }) => [...names, ...cells(figures)]);
    console.log(`\n${textTable(header, table)}`);
    for (const [key, message] of Object.entries(refused)) console.log(`refused: ${key}: ${message}`);
    const head = [
      `GPU: ${gpu}, by ${adapter}; ${new Date().toISOString().slice(0, 10)}`,
      "convolution: channels, 3x3 at 80x120; subgroups: lanes that @subgroup_size asks for, of any size without",
      "tiles that compile to the same code as one above have no row",
      ...HEAD,
    ];
    const command = `npm run bench -- tiles --gpu ${gpu}`;
    const text = markdownReport(`Tiles on ${gpu}, as compiled`, command, head, [markdownTable(header, table)]);
    const record = { gpu, adapter: { device: gpu, description: adapter }, pipelines, refused };
    await writeReport(record, text, { kind: "tiles", out: values.out && `${values.out}-${gpu}` });
  }
}
