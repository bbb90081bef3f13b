import { TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { counted } from "../../data/files/words.js";
import { type Benchmark, benchmark, type PassTime } from "../../measure/benchmark.js";
import { whole } from "../../options/rules.js";
import { createProgress } from "../../progress/items.js";
import { adapterName } from "../../report/adapter.js";
import { formatTable } from "../../report/table.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { MEASURED, withMeasured } from "../flags/measured.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  ...MEASURED,
  repeats: { flag: "--repeats <n>", help: "passes of each kind", rule: whole(1), fallback: 10 },
} as const;

/** Adds the flags and the action of `fcn bench`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { repeats, json, ...flags } = givenBy(OPTIONS, given);
  const summary = await withMeasured(flags, async ({ device, net, name, channels }) => {
    const { size, batch: batchSize } = flags;
    const stream = process.stderr;
    const progress = stream.isTTY ? createProgress(stream, "measuring", 2 * (repeats + 1)) : undefined;
    try {
      const onProgress = (done: number): void => progress?.step(`${done}`);
      const times = await benchmark(device, net, { batchSize, size, channels, repeats, onProgress });
      return { model: name, size, batchSize, repeats, adapter: device.info, ...times };
    } finally {
      progress?.end();
    }
  });
  await printResult(summary, describe, json);
  if (!("error" in summary.training)) return;
  const { code, message, fix, commandFix } = summary.training.error;
  throw new TensorError({
    code,
    message: `bench: the training pass failed: ${message}`,
    fix: REMEDIES[code] ?? commandFix ?? fix,
  });
}

const TOO_MUCH = "use a smaller --batch or --size";

/** Remedies in options of the command, by error code. Other errors have their own remedy. */
const REMEDIES: Readonly<Record<string, string>> = {
  "out-of-memory": TOO_MUCH,
  "limit-exceeded": TOO_MUCH,
};

interface Summary extends Benchmark {
  readonly model: string;
  readonly size: readonly [number, number];
  readonly batchSize: number;
  readonly repeats: number;
  readonly adapter: Parameters<typeof adapterName>[0];
}

function describe({ model, size, batchSize, repeats, adapter, inference, training }: Summary): string {
  const row = (name: string, { median, least, imagesPerSecond, peakBytes }: PassTime): string[] => [
    name,
    median.toFixed(1),
    least.toFixed(1),
    imagesPerSecond.toPrecision(3),
    (peakBytes / 2 ** 20).toFixed(0),
  ];
  const table = formatTable({
    header: ["pass", "median ms", "least ms", "images/s", "peak MiB allocated"],
    rows: [row("forward", inference), ...("error" in training ? [] : [row("forward and backward", training)])],
  });
  return `${model}, ${batchSize} x ${size.join("x")} (images, height x width), ${counted(repeats, "pass")}, on ${adapterName(adapter)}\n\n${table}\n`;
}
