/**
 * `npm run mutants [-- AREA ...] [--files TEXT]`: plants faults by rule in the areas (in all unless some are named; in
 * the files only whose path has TEXT) and counts those that the tests catch. Faults that change nothing are in
 * equivalent.json.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { globSync } from "tinyglobby";
import { areas } from "./areas.mjs";
import { plantInShaders } from "./shaders.mjs";
import { plantInSource } from "./source.mjs";
import { describe, tally } from "./tally.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RESULTS = new URL("results.json", import.meta.url);
const equivalent = JSON.parse(readFileSync(new URL("equivalent.json", import.meta.url), "utf8"));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { files: { type: "string" } } });
const unknown = positionals.filter((name) => !Object.hasOwn(areas, name));
if (unknown.length > 0)
  throw new Error(`no area ${unknown.join(", ")}; the areas are ${Object.keys(areas).join(", ")}`);

/** Writes the figures of an area, which stay where a run is broken off. */
function keep(name, row) {
  const known = JSON.parse(readFileSync(RESULTS, "utf8"));
  writeFileSync(RESULTS, `${JSON.stringify({ ...known, [name]: row }, null, 2)}\n`);
}

/** The patterns that one with braces stands for. */
function alternatives(pattern) {
  const [, before, names, after] = /^(.*?)\{([^{}]*)\}(.*)$/.exec(pattern) ?? [];
  return names === undefined ? [pattern] : names.split(",").flatMap((name) => alternatives(before + name + after));
}

process.chdir(ROOT);
const rows = {};
const problems = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(areas)) {
  const mutants = [];
  console.log(`-- ${name}`);
  for (const [done, group] of areas[name].entries()) {
    for (const pattern of [...group.source, ...group.tests].flatMap(alternatives))
      if (!pattern.startsWith("!") && globSync(pattern).length === 0) problems.push(`${name}: no file is ${pattern}`);
    const files = globSync(group.source)
      .sort()
      .filter((path) => path.includes(values.files ?? ""));
    if (files.length === 0) continue;
    const found = await (group.shaders ? plantInShaders : plantInSource)(files, group);
    const { row, survivors, stale } = tally(found, equivalent);
    console.log(`${group.tests.join(" ")}: ${row.caught} of ${row.mutants} caught`);
    for (const mutant of survivors) console.log(`  survived  ${describe(mutant)}`);
    problems.push(...stale);
    mutants.push(...found);
    rows[name] = tally(mutants, equivalent).row;
    if (done + 1 < areas[name].length) rows[name].groups = `${done + 1} of ${areas[name].length}`;
    if (values.files === undefined) keep(name, rows[name]);
  }
}
console.table(rows);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
