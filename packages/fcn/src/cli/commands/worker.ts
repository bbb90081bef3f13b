import type { Command } from "commander";
import { ADAPTER, TUNE } from "../../measure/tunedDevice.js";
import { from, whole } from "../../options/rules.js";
import * as queue from "../../queue/index.js";
import type { WorkerEvent } from "../../queue/work.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { QUEUE } from "../flags/queueFlags.js";
import { stopOnInterrupt } from "../output/signals.js";

const OPTIONS = {
  queue: { ...QUEUE.queue, isRequired: true },
  root: {
    flag: "--root <place...>",
    help: "folders and addresses (s3://bucket/prefix, https://host/path) below which files may be read and written",
    fallbackText: "the working directory",
  },
  name: { flag: "--name <name>", help: "what fcn jobs calls this worker", fallbackText: "that of the machine" },
  concurrency: {
    flag: "--concurrency <n>",
    help: "chunks at a time: while the GPU works on one, images of another are read and written",
    rule: whole(1),
    fallback: 1,
  },
  patience: {
    flag: "--patience <s>",
    help: "seconds without a sign of life after which another worker takes over what this one had",
    rule: from(1),
    fallback: 30,
  },
  adapter: ADAPTER,
  tune: TUNE,
  json: { flag: "--json", help: "print one JSON object for each chunk" },
} as const;

/** Adds the flags and the action of `fcn worker`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { root, json = false, ...options } = givenBy(OPTIONS, given);
  const stop = new AbortController();
  const { unlisten } = stopOnInterrupt(() => {
    process.stderr.write("ending after the chunk at work; Ctrl-C again ends at once, and another worker takes over\n");
    stop.abort();
  });
  const onEvent = (event: WorkerEvent): void => {
    process.stdout.write(`${json ? JSON.stringify(event) : describe(event)}\n`);
  };
  try {
    const { chunks, items } = await queue.work({
      ...options,
      ...(root && { roots: root }),
      ...{ signal: stop.signal, onEvent },
    });
    process.stderr.write(`did ${items} items in ${chunks} chunks\n`);
  } finally {
    unlisten();
  }
}

function describe(event: WorkerEvent): string {
  if (event.kind === "ready") return `${event.name} works for ${event.queue} below ${event.roots.join(", ")}`;
  const what = `run ${event.run}, chunk ${event.k}`;
  if (event.kind === "failure") return `${what}: failed: ${event.message}`;
  return `${what}: ${event.items} items in ${event.seconds.toFixed(1)} s`;
}
