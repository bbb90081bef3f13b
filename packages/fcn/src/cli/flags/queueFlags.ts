import { whole } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";

/** The flag of every command that needs a queue. */
export const QUEUE = {
  queue: {
    flag: "--queue <address>",
    help: "a Redis or Valkey server, such as redis://host:6379; name and password also from FCN_QUEUE_USERNAME and FCN_QUEUE_PASSWORD",
  },
} as const;

/** The flags of commands that can have their work done by the workers of a queue. */
export const QUEUED = {
  queue: { ...QUEUE.queue, help: `have the work done by the workers of ${QUEUE.queue.help}` },
  attach: { flag: "--attach <run>", help: "wait for a run of the queue that was started before; its options count" },
  chunk: {
    flag: "--chunk <n>",
    help: "items that a worker takes at a time",
    rule: whole(1),
    fallbackText: "as many as take about ten seconds",
  },
} as const;

/** Throws if a flag was given that only a queue understands, and no queue. */
export function refuseWithoutQueue(queue: string | undefined, flags: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(flags).find(([, value]) => value !== undefined)?.[0];
  if (queue === undefined && given !== undefined) {
    throw new UsageError(`${given} is for the workers of a queue, and none is named`, "add --queue redis://host:6379");
  }
}
