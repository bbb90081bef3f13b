import type { Command } from "commander";
import { writeWholeFile } from "../../files/write.js";
import { percent } from "../../report/table.js";
import { type ComparedRun, compareRuns, type RunComparison } from "../../training/run/index.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  out: { flag: "--out <file>", help: "page to write", fallback: "compare.html" },
  ...JSON_OUTPUT,
} as const;

/** Adds the arguments, the flags and the action of `fcn compare`. */
export function setUp(command: Command): void {
  command.argument("<run...>", "folders that `fcn train --out` wrote");
  addFlags(command, OPTIONS).action(run);
}

/** What `fcn compare --json` prints. */
interface CompareReport extends Omit<RunComparison, "html"> {
  readonly file: string;
}

async function run(folders: readonly string[], given: object): Promise<void> {
  const { out, json } = givenBy(OPTIONS, given);
  const { html, ...comparison } = await compareRuns(folders);
  await writeWholeFile("compare", out, html);
  await printResult({ file: out, ...comparison }, describeReport, json);
}

function describeReport({ file, runs, differences }: CompareReport): string {
  const width = Math.max(...runs.map(({ name }) => name.length));
  const settings = Object.keys(differences);
  const differ = settings.length > 0 ? `they differ in ${settings.join(", ")}` : "all settings are the same";
  return `${runs.map((each) => lineOf(each, width)).join("\n")}\n${differ}\nwrote ${file}\n`;
}

function lineOf({ name, step, loss, best }: ComparedRun, width: number): string {
  const score = best ? `, best mean IU ${percent(best.scores.meanIU)} % at step ${best.step}` : "";
  return `${name.padEnd(width)}  step ${step}, loss ${loss.toPrecision(4)}${score}`;
}
