import type { Command } from "commander";
import * as queue from "../../queue/index.js";
import type { QueueSummary, RunSummary } from "../../queue/jobs.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { refuseBoth } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { QUEUE } from "../flags/queueFlags.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  queue: { ...QUEUE.queue, isRequired: true },
  retry: { flag: "--retry <run>", help: "give what failed of a run to the workers again" },
  cancel: { flag: "--cancel <run>", help: "end a run; results that are written stay" },
  drain: { flag: "--drain", help: "end all runs" },
  ...JSON_OUTPUT,
} as const;

/** Adds the flags and the action of `fcn jobs`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { queue: address, retry, cancel, drain, json } = givenBy(OPTIONS, given);
  refuseBoth({ "--retry": retry, "--cancel": cancel, "--drain": drain });
  if (retry !== undefined) {
    const chunks = await queue.retry(address, retry);
    return printResult(
      { retried: retry, chunks },
      () => `run ${retry} goes on with ${chunks} chunks that were put aside\n`,
      json,
    );
  }
  if (cancel !== undefined || drain) {
    const ended = cancel === undefined ? await queue.drain(address) : [cancel];
    if (cancel !== undefined) await queue.cancel(address, cancel);
    return printResult({ cancelled: ended }, () => `ended ${ended.length === 0 ? "no run" : ended.join(", ")}\n`, json);
  }
  await printResult(await queue.jobs(address), describe, json);
}

function describe({ queue: address, keepsJobs, workers, runs }: QueueSummary): string {
  const disk = keepsJobs ? "" : "; it keeps nothing on disk, so that a restart loses its runs (appendonly is no)";
  const connected =
    workers.length === 0 ? "no worker is connected" : `${workers.length} workers: ${workers.join(", ")}`;
  const lines = runs.length === 0 ? ["no runs"] : runs.flatMap(linesOf);
  return `${address}${disk}\n${connected}\n${lines.join("\n")}\n`;
}

function linesOf({ id, kind, state, created, done, total, active, aside, error, problem }: RunSummary): string[] {
  const range = (from: number, to: number): string =>
    to - from === 1 ? `item ${from + 1}` : `items ${from + 1} to ${to}`;
  const fault = error ?? problem;
  return [
    `${id}  ${kind.padEnd(8)}  ${state.padEnd(9)}  ${done}/${total}  since ${new Date(created).toISOString()}`,
    ...active.map(({ worker, from, to }) => `  ${worker}: ${range(from, to)}`),
    ...aside.map(({ from, to, reason }) => `  put aside: ${range(from, to)}: ${reason}`),
    ...(fault ? [`  ${error ? "failed" : "does not go on"}: ${fault.message}; ${fault.commandFix ?? fault.fix}`] : []),
  ];
}
