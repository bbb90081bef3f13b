import { counted } from "../../data/files/words.js";
import * as queue from "../../queue/index.js";
import type { QueuePredictOptions, QueuePredictSummary } from "../../queue/predict.js";
import { describeImage, throwIfFailed } from "../output/describePrediction.js";
import { describeRemarks } from "../output/evalRemarks.js";
import { printResult } from "../output/output.js";
import { watchRun } from "../output/runView.js";

/** A run to start, or one to come back to. */
type Queued =
  | {
      readonly queue: string;
      readonly names: readonly string[];
      readonly options: Omit<QueuePredictOptions, "queue">;
      readonly attach?: undefined;
    }
  | { readonly queue: string; readonly attach: string };

/** `fcn predict --queue`. */
export async function predictQueued(given: Queued, json: boolean): Promise<void> {
  const { queue: address } = given;
  const stream = json ? process.stderr : process.stdout;
  const what = { what: "predicting", again: `fcn predict --queue ${address}`, queue: address };
  const summary = await watchRun(stream, what, (follow) =>
    given.attach === undefined
      ? queue.predict(given.names, { ...given.options, ...follow, queue: address })
      : queue.attach(given.attach, { ...follow, queue: address }),
  );
  for (const report of summary.reports ?? []) {
    const failed = "error" in report;
    if (failed || !json) (failed ? process.stderr : process.stdout).write(`${describeImage(report)}\n`);
  }
  for (const line of describeRemarks(summary.remarks)) process.stderr.write(`${line}\n`);
  await printResult(summary, describeSummary, json);
  throwIfFailed(summary.failed, summary.images);
}

function describeSummary({ id, images, failed, out }: QueuePredictSummary): string {
  return `${counted(images - failed, "image")} in ${out}, by run ${id}\n`;
}
