/**
 * All that a real GPU should answer, in one command for whoever has one for a few minutes: what it is, its measured
 * peaks, whether every tile computes the right thing, whole nets, features in float16, the times of tiles, and what
 * tuning gains.
 *
 *   npm run bench -- gpu [--minutes 6] [--section NAME,...] [--out STEM]
 *
 * Each section has a share of the minutes and a device of its own. Whatever fails is written down and the rest goes on;
 * bench/results/gpu-<device>.{json,md} are written after each section, so that nothing is lost when it is stopped.
 */
import { parseArgs } from "node:util";
import * as correctness from "./gpu/correctness.mjs";
import * as facts from "./gpu/facts.mjs";
import * as nets from "./gpu/nets.mjs";
import * as peaks from "./gpu/peaks.mjs";
import * as precision from "./gpu/precision.mjs";
import * as rows from "./gpu/rows.mjs";
import * as tuner from "./gpu/tuner.mjs";
import { writeReport } from "./lib/files.mjs";
import { markdownReport } from "./lib/table.mjs";

const OPTIONS = {
  minutes: { type: "string", default: "6" },
  section: { type: "string" },
  out: { type: "string" },
};

/** In the order in which they run, with shares of the time; what one leaves over goes to those after it. */
const SECTIONS = {
  facts: { title: "The device", share: 1, ...facts },
  peaks: { title: "Measured peaks", share: 4, ...peaks },
  correctness: { title: "Every tile against float64", share: 20, ...correctness },
  nets: { title: "Whole nets, 320x480", share: 25, ...nets },
  precision: { title: "Features in float16", share: 8, ...precision },
  rows: { title: "Convolutions by tile", share: 30, ...rows },
  tuner: { title: "Tuning", share: 20, ...tuner },
};
/** Ms beyond its time after which a section that does not answer is given up. */
const PATIENCE = 15_000;
const seconds = (ms) => `${(ms / 1000).toFixed(0)} s`;

/**
 * Runs one section until it ends, or is given up because it does not answer. What it has found by then is in `result`,
 * its error too.
 */
export async function runSection({ run }, result, context, ms, patience = PATIENCE) {
  const start = performance.now();
  // Every section does one thing at least.
  let asked = 0;
  const isOver = () => asked++ > 0 && performance.now() - start > ms;
  let timer;
  const silence = new Promise((_, reject) => {
    const failure = new Error(`no answer ${seconds(ms + patience)} after it began`);
    timer = setTimeout(() => reject(failure), ms + patience);
  });
  try {
    await Promise.race([run({ ...context, result, isOver }), silence]);
  } catch (error) {
    result.error = error.stack ?? String(error);
  } finally {
    clearTimeout(timer);
  }
  result.seconds = (performance.now() - start) / 1000;
}

/** A section that failed early may lack what its lines are made of. */
function linesOf(name, result) {
  try {
    return SECTIONS[name].lines(result);
  } catch {
    return ["* nothing to show"];
  }
}

function markdown(record) {
  const head = [`${record.adapter.description || record.adapter.device}; ${record.date}; ${record.minutes} minutes`];
  if (record.sections.facts?.software)
    head.push("a SOFTWARE adapter, on the processor: its figures say nothing of a GPU");
  const text = Object.entries(record.sections).flatMap(([name, result]) => [
    `## ${SECTIONS[name].title}`,
    "",
    ...linesOf(name, result),
    ...(result.error ? ["", `* FAILED: ${result.error.split("\n")[0]}`] : []),
    "",
  ]);
  return markdownReport(`A GPU in ${record.minutes} minutes`, "npm run bench -- gpu", head, text);
}

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: expected a number above 0`);
  const wanted = values.section?.split(",") ?? Object.keys(SECTIONS);
  const unknown = wanted.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0)
    throw new Error(`--section ${unknown.join(",")}: there are ${Object.keys(SECTIONS).join(", ")}`);
  const names = Object.keys(SECTIONS).filter((name) => name === "facts" || wanted.includes(name));
  const sections = {};
  const record = { date: new Date().toISOString(), minutes, adapter: {}, sections };
  const end = performance.now() + minutes * 60_000;
  for (const [i, name] of names.entries()) {
    const left = names.slice(i).reduce((sum, later) => sum + SECTIONS[later].share, 0);
    const ms = (Math.max(0, end - performance.now()) * SECTIONS[name].share) / left;
    sections[name] = {};
    const context = { sections, software: sections.facts.software };
    await runSection(SECTIONS[name], sections[name], context, ms);
    if (name === "facts") record.adapter = sections.facts;
    if (sections.facts.description === undefined) throw new Error(sections.facts.error);
    const { error } = sections[name];
    console.error(
      `${name}: ${seconds(sections[name].seconds * 1000)}${error ? `, FAILED: ${error.split("\n")[0]}` : ""}`,
    );
    await writeReport(record, markdown(record), { kind: "gpu", out: values.out });
  }
  console.log(`\n${markdown(record)}`);
}
