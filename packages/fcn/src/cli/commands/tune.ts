import { saveTuning, type TuningResult } from "@fcn/tensor";
import type { Command } from "commander";
import { makeWork } from "../../measure/work.js";
import { PRECISION } from "../../prediction/inferenceOptions.js";
import { createProgress } from "../../progress/items.js";
import { adapterName } from "../../report/adapter.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { MEASURED, withMeasured } from "../flags/measured.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  ...MEASURED,
  inference: { flag: "--inference", help: "tune for prediction only, not for training" },
  precision: PRECISION,
} as const;

/** Adds the flags and the action of `fcn tune`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { inference = false, precision, json, ...flags } = givenBy(OPTIONS, given);
  const summary = await withMeasured(flags, async ({ device, net, name, channels }) => {
    const { size, batch: batchSize } = flags;
    const work = makeWork(device, net, { batchSize, size, channels, training: !inference, precision });
    const stream = json || !process.stdout.isTTY ? process.stderr : process.stdout;
    const results: TuningResult[] = [];
    let progress: ReturnType<typeof createProgress> | undefined;
    const begin = performance.now();
    try {
      const tuning = await device.tune(work, {
        onProgress: (_, total, result) => {
          progress ??= createProgress(stream, "tuning", total);
          results.push(result);
          progress.step(describeResult(result));
        },
      });
      const keys = results.map(({ key }) => key);
      const file = (await saveTuning(device.info, tuning, keys)) ?? null;
      const seconds = (performance.now() - begin) / 1000;
      return { model: name, size, batchSize, adapter: device.info, results, file, seconds };
    } finally {
      progress?.end();
    }
  });
  await printResult(summary, describe, json);
}

function describeResult({ key, tile, speedup }: TuningResult): string {
  if (speedup === 1) return `${key}: unchanged`;
  const team = tile.variant === "subgroup" ? `, teams of ${tile.SGN}, ${tile.TV} columns` : "";
  return `${key}: ${speedup.toFixed(2)} times as fast with ${tile.variant} ${tile.TM}${team}`;
}

interface Summary {
  readonly model: string;
  readonly adapter: Parameters<typeof adapterName>[0];
  readonly results: readonly TuningResult[];
  readonly file: string | null;
  readonly seconds: number;
}

function describe({ model, adapter, results, file, seconds }: Summary): string {
  const faster = results.filter(({ speedup }) => speedup > 1);
  const lines = [
    ...faster.map(describeResult),
    `${model} on ${adapterName(adapter)}: ${faster.length} of ${results.length} convolutions run faster with other tiles (${seconds.toFixed(0)} s)`,
    file === null ? "FCN_TUNING is off: nothing was kept" : `kept in ${file}`,
  ];
  return `${lines.join("\n")}\n`;
}
