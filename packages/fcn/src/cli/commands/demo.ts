import type { Command } from "commander";
import { BACKBONES } from "../../demo/recipe.js";
import { runDemo } from "../../demo/run.js";
import { COAST_COLUMNS, coastFinding } from "../../demo/scores.js";
import { type DemoSummary, scoreRows } from "../../demo/summary.js";
import { ADAPTER } from "../../measure/tunedDevice.js";
import { oneOf, whole } from "../../options/rules.js";
import { createStageView } from "../../progress/stages.js";
import { formatTable, scoreTable } from "../../report/table.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { checkFolder } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  backbone: {
    flag: "--backbone <name>",
    help: `backbone of the nets: ${BACKBONES.join(" or ")}`,
    rule: oneOf(BACKBONES),
    fallback: "small",
  },
  steps: { flag: "--steps <n>", help: "training steps of each stage", rule: whole(1), fallback: 120 },
  out: { flag: "--out <dir>", help: "folder for all results", fallback: "out/demo" },
  seed: {
    flag: "--seed <n>",
    help: "fixes the initial weights and the order of the tiles",
    rule: whole(0),
    fallback: 1,
  },
  adapter: ADAPTER,
  ...JSON_OUTPUT,
} as const;

/** Adds the flags and the action of `fcn demo`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { json, ...options } = givenBy(OPTIONS, given);
  await checkFolder("--out", options.out);
  const stream = json ? process.stderr : process.stdout;
  const line = (text: string): void => void stream.write(`${text}\n`);
  const summary = await runDemo(options, { stages: createStageView(stream), line });
  await printResult(summary, describeSummary, json);
}

function describeSummary(summary: DemoSummary): string {
  const table = formatTable(scoreTable(scoreRows(summary), summary.classes, COAST_COLUMNS));
  const finding = coastFinding(summary.stages.map((stage) => stage.coastAccuracy));
  const files = summary.files.map((file) => `  ${file}`).join("\n");
  const time = `${Math.round(summary.seconds)} s in all, on ${summary.adapter.description}`;
  return `\nScores on held-back tiles, per cent (coast: within 4 pixels of it)\n${table}\n\n${finding}\n${time}\nwrote\n${files}\n`;
}
