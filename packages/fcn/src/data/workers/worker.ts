import { parentPort } from "node:worker_threads";
import { type ErrorParts, TensorError } from "@fcn/tensor";
import { reasonOf } from "../files/errors.js";
import type { Reply, Request } from "./messages.js";
import { TASKS, type TaskName } from "./tasks.js";

/** Runs in a worker thread and replies to requests in the order in which they finish. */
parentPort?.on("message", (request: Request) => void answer(request));

async function answer<K extends TaskName>({ id, task, input }: Request<K>): Promise<void> {
  try {
    const { run, buffers } = TASKS[task];
    const output = await run(input);
    parentPort?.postMessage({ id, output } satisfies Reply, buffers(output));
  } catch (error) {
    parentPort?.postMessage({ id, error: describe(error) } satisfies Reply);
  }
}

/** Errors lose their own fields when they are sent between threads. */
function describe(error: unknown): ErrorParts {
  if (error instanceof TensorError) return error.parts();
  const fix = {
    code: "run with workers 0 to see where it failed",
    command: "run with --workers 0 --verbose to see where it failed",
  };
  return { code: "worker-failed", message: reasonOf(error), fix };
}
