import type { Command } from "commander";
import { createStageView } from "../demo/progress.js";
import { formatTable, percent, scoreTable } from "../demo/table.js";
import { STARTS, type TransferOptions } from "../demo/transfer/recipe.js";
import { runTransfer } from "../demo/transfer/run.js";
import { scoreRows, type TransferSummary, transferFinding } from "../demo/transfer/summary.js";
import { checkFolder, parseWhole } from "./options.js";

interface TransferFlags extends TransferOptions {
  readonly json?: boolean;
}

/** Adds `fcn transfer`. */
export function registerTransfer(program: Command): void {
  program
    .command("transfer")
    .description(
      "fine-tune MobileNetV2 from pretrained weights on stamps pasted on photographs, and compare with random weights",
    )
    .option("--steps <n>", "training steps of each start", parseWhole("--steps", 1), 200)
    .option("--samples <n>", "training samples to compose", parseWhole("--samples", 1), 600)
    .option("--validation <n>", "held-back samples to compose", parseWhole("--validation", 1), 80)
    .option("--seed <n>", "fixes the samples, their order and the initial weights", parseWhole("--seed", 0), 1)
    .option("--search", "train at several learning rates and keep the best, for either start", false)
    .option("--out <dir>", "folder for everything that is written", "out/transfer")
    .option("--stamps <dir>", "folder of Tux Paint's stamps, if not that of the Debian package")
    .option("--photos <dir>", "folder of photographs, if not that of the Debian package")
    .option("--weights <file>", "TensorFlow.js model of the trunk, if not that of the npm package nsfwjs")
    .option("--json", "print one JSON object instead of tables; progress goes to standard error")
    .action(transfer);
}

async function transfer({ json, ...options }: TransferFlags): Promise<void> {
  await checkFolder("--out", options.out);
  const stream = json ? process.stderr : process.stdout;
  const line = (text: string): void => void stream.write(`${text}\n`);
  const summary = await runTransfer(options, { stages: createStageView(stream), line });
  process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : describeSummary(summary));
}

function describeSummary(summary: TransferSummary): string {
  const table = formatTable(scoreTable(scoreRows(summary), summary.classes));
  const files = summary.files.map((file) => `  ${file}`).join("\n");
  const time = `${Math.round(summary.seconds)} s in all, on ${summary.adapter.description}`;
  const head = "Scores on held-back stamps and photographs, per cent";
  return `\n${head}\n${table}\n\n${describeSearch(summary)}${transferFinding(summary)}\n${time}\nwrote\n${files}\n`;
}

function describeSearch(summary: TransferSummary): string {
  if (summary.random.tried.length < 2) return "";
  const lines = STARTS.map((start) => {
    const tried = summary[start].tried.map(({ learningRate, meanIU }) => `${percent(meanIU)} at ${learningRate}`);
    return `mean IU from ${start} weights by learning rate: ${tried.join(", ")}`;
  });
  return `${lines.join("\n")}\n`;
}
