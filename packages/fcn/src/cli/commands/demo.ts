import type { Command } from "commander";
import { BACKBONES, type BackboneName, type DemoOptions } from "../../demo/options.js";
import { runDemo } from "../../demo/run.js";
import { COAST_COLUMNS, coastFinding } from "../../demo/scores.js";
import { type DemoSummary, scoreRows } from "../../demo/summary.js";
import { whole } from "../../options/rules.js";
import { createStageView } from "../../progress/stages.js";
import { formatTable, scoreTable } from "../../report/table.js";
import { checkFolder, readerOf } from "../flags/options.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

interface DemoFlags extends DemoOptions {
  readonly json?: boolean;
}

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("train FCN-32s, 16s and 8s on real satellite imagery and write images, weights and a report")
    .option("--backbone <name>", `backbone of the nets: ${BACKBONES.join(" or ")}`, parseBackbone, "small")
    .option("--steps <n>", "training steps of each stage", readerOf("--steps", whole(1)), 120)
    .option("--out <dir>", "folder for everything that is written", "out/demo")
    .option("--seed <n>", "fixes initial weights and the order of the tiles", readerOf("--seed", whole(0)), 1)
    .option("--json", "print one JSON object instead of tables; progress goes to standard error")
    .action(demo);
}

async function demo({ json, ...options }: DemoFlags): Promise<void> {
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

function parseBackbone(value: string): BackboneName {
  const name = BACKBONES.find((candidate) => candidate === value);
  if (name) return name;
  throw new UsageError(`--backbone is "${value}"`, `use ${BACKBONES.join(" or ")}`);
}
