import { hasCode, TensorError } from "@fcn/tensor";
import { invalidArgument, nodeModule } from "@fcn/tensor/internal";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { reasonOf } from "../../data/files/errors.js";
import { optionalPackage } from "../../files/optionalPackage.js";
import { checkServer } from "./checks.js";

/** The prefix of all keys. */
export const PREFIX = "fcn";

/**
 * The queues: what takes a GPU, and what only looks after runs, which must not wait for the former. BullMQ keeps one
 * job of the latter at work at a time.
 */
export const QUEUES = { work: "work", tend: "tend" } as const;

/** A server that answers and is fit for jobs that must not be lost. */
export interface Connection {
  readonly redis: Redis;
  /** The address without name and password, for messages. */
  readonly address: string;
  readonly work: Queue;
  readonly tend: Queue;
  /** What the package exports. */
  readonly bullmq: typeof import("bullmq");
  close(): Promise<void>;
}

/** Milliseconds until a server counts as one that does not answer. */
const PATIENCE = 5000;

/**
 * Connects to the queue at a `redis://` or `rediss://` address. Name, password and certificates come from the address
 * or from the environment: FCN_QUEUE_USERNAME, FCN_QUEUE_PASSWORD, and FCN_QUEUE_CA, FCN_QUEUE_CERT, FCN_QUEUE_KEY,
 * which are files. After it has answered once, a server may go away and come back: commands wait for it.
 *
 * Throws `no-queue` for a server that does not answer or refuses, `unfit-queue` for one that would lose jobs,
 * `other-version` for one that works for another version of this library, and `missing-package`.
 */
export async function connect(op: string, address: string): Promise<Connection> {
  const url = parse(op, address);
  const [bullmq, { Redis }] = await optionalPackage(op, ["bullmq", "ioredis"], () =>
    Promise.all([import("bullmq"), import("ioredis")]),
  );
  const options = {
    ...addressOptions(url),
    ...(await credentials(op, url)),
    lazyConnect: true,
    // BullMQ wants commands to wait for as long as the server is away.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
  };
  const plain = `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`;
  const redis = new Redis(options);
  // What has no listener ends the process; whoever waits for an answer hears of it.
  redis.on("error", () => {});
  try {
    await firstAnswer(op, plain, redis);
    await checkServer(op, plain, redis);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  // Nobody reads what BullMQ tells of each job.
  const streams = { events: { maxLen: 100 } };
  const queueOptions = { connection: redis, prefix: PREFIX, skipVersionCheck: true, streams };
  const [work, tend] = [new bullmq.Queue(QUEUES.work, queueOptions), new bullmq.Queue(QUEUES.tend, queueOptions)];
  for (const queue of [work, tend]) queue.on("error", () => {});
  return {
    ...{ redis, address: plain, work, tend, bullmq },
    close: async () => {
      await Promise.allSettled([work.close(), tend.close()]);
      redis.disconnect();
    },
  };
}

/** {@link connect} while `use` runs. */
export async function withConnection<T>(
  op: string,
  address: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(op, address);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

function parse(op: string, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /^rediss?:$/.test(url.protocol) && url.hostname !== "") return url;
  throw invalidArgument(`${op}: the queue is ${JSON.stringify(address)}`, {
    code: 'pass the address of a Redis or Valkey server, such as "redis://host:6379"',
    command: "name a Redis or Valkey server: --queue redis://host:6379",
  });
}

/** The parts of an address. */
const addressOptions = ({ hostname, port, pathname, username, password }: URL) => ({
  host: hostname.replace(/^\[|\]$/g, ""),
  port: Number(port || 6379),
  db: Number(pathname.slice(1)) || 0,
  ...(username && { username: decodeURIComponent(username) }),
  ...(password && { password: decodeURIComponent(password) }),
});

/** What the environment adds to an address. */
async function credentials(op: string, url: URL) {
  const { FCN_QUEUE_USERNAME, FCN_QUEUE_PASSWORD, FCN_QUEUE_CA, FCN_QUEUE_CERT, FCN_QUEUE_KEY } = process.env;
  const { readFile } = nodeModule(op, "node:fs/promises");
  const read = async (variable: string, path: string | undefined): Promise<string | undefined> => {
    if (!path) return undefined;
    return readFile(path, "utf8").catch((cause: unknown) => {
      throw new TensorError(
        {
          code: "unreadable-file",
          message: `${op}: ${variable} names ${path}, which cannot be read: ${reasonOf(cause)}`,
          fix: `set ${variable} to a file in PEM format`,
        },
        { cause },
      );
    });
  };
  const ca = await read("FCN_QUEUE_CA", FCN_QUEUE_CA);
  const cert = await read("FCN_QUEUE_CERT", FCN_QUEUE_CERT);
  const key = await read("FCN_QUEUE_KEY", FCN_QUEUE_KEY);
  return {
    ...(FCN_QUEUE_USERNAME && { username: FCN_QUEUE_USERNAME }),
    ...(FCN_QUEUE_PASSWORD && { password: FCN_QUEUE_PASSWORD }),
    ...(url.protocol === "rediss:" && { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }),
  };
}

async function firstAnswer(op: string, address: string, redis: Redis): Promise<void> {
  let last: unknown;
  redis.on("error", (error) => {
    last = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(last ?? new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), late]);
  } catch (cause) {
    throw unanswered(op, address, last ?? cause);
  } finally {
    clearTimeout(timer);
  }
}

/** Why a server gave no answer, with what to do. */
function unanswered(op: string, address: string, cause: unknown): TensorError {
  if (hasCode(cause, "no-queue")) return cause;
  const reason = reasonOf(cause) || (cause as { code?: string }).code || "no reason is given";
  const fix = /NOAUTH|WRONGPASS|NOPERM/.test(reason)
    ? "set FCN_QUEUE_PASSWORD, and FCN_QUEUE_USERNAME if the server has users"
    : /certificate|self.signed|SSL|TLS|ECONNRESET/i.test(reason)
      ? "redis:// is plain and rediss:// encrypted; for a certificate of your own set FCN_QUEUE_CA to its file"
      : "start the server, or check its address: redis-cli -u ADDRESS ping must print PONG";
  return new TensorError(
    { code: "no-queue", message: `${op}: the queue at ${address} does not answer: ${reason}`, fix },
    { cause },
  );
}
