import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Connection, connect } from "../../packages/fcn/src/queue/server/connection.js";
import { setEnv } from "./places.js";
import { type S3Server, startS3Server } from "./s3Server.js";

const isInstalled = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

/** The servers of queues that this machine has. */
export const SERVERS = ["redis-server", "valkey-server"].filter(isInstalled);
/** The same for tests of each of them, which are skipped where there is none. */
export const TESTED = SERVERS.length > 0 ? SERVERS : ["a server"];
if (SERVERS.length === 0) console.log("left out: tests of queues, for want of a server: npm run setup -- --queue");

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A server of its own for the tests of a file, which keeps its jobs on disk. */
export class QueueServer {
  #child: ChildProcess | undefined;

  private constructor(
    private readonly program: string,
    private readonly folder: string,
    readonly port: number,
    private readonly flags: readonly string[],
  ) {}

  static async start(program: string, flags: readonly string[] = []): Promise<QueueServer> {
    const folder = await mkdtemp(join(tmpdir(), "fcn-queue-"));
    const server = new QueueServer(program, folder, await freePort(), flags);
    await server.restart();
    return server;
  }

  /** Whether only encrypted connections are taken, which flags that name certificates ask for. */
  get #isEncrypted(): boolean {
    return this.flags.some((flag) => flag.startsWith("--tls"));
  }

  get address(): string {
    return `${this.#isEncrypted ? "rediss" : "redis"}://127.0.0.1:${this.port}`;
  }

  /** Starts the server again, with what it has on disk. */
  async restart(): Promise<void> {
    const disk = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", this.folder];
    const port = this.#isEncrypted ? ["--port", "0", "--tls-port", `${this.port}`] : ["--port", `${this.port}`];
    this.#child = spawn(this.program, [...port, "--bind", "0.0.0.0", ...disk, ...this.flags], { stdio: "ignore" });
    const redis = new Redis(this.port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on("error", () => {});
    // With a password or encryption it answers with a refusal, which is an answer.
    if (this.flags.length === 0) while ((await redis.ping().catch(() => "")) !== "PONG") await sleep(50);
    else await sleep(500);
    redis.disconnect();
  }

  /** Ends the server as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Ends the server for good. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The result of a command of the server. */
  async call(command: string, ...args: string[]): Promise<unknown> {
    const redis = new Redis(this.port);
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }
}

/** A queue and a server of buckets with one called `bucket`, which the environment names, for the tests of a suite. */
export function useQueueAndBucket(): { readonly server: QueueServer; readonly s3: S3Server } {
  const servers = {} as { server: QueueServer; s3: S3Server };
  beforeAll(async () => {
    [servers.server, servers.s3] = await Promise.all([
      QueueServer.start(SERVERS.at(-1) as string),
      startS3Server("bucket"),
    ]);
    setEnv(servers.s3.env);
  });
  beforeEach(() => setEnv(servers.s3.env));
  afterAll(async () => {
    await endWorkers();
    await Promise.all([servers.server?.stop(), servers.s3?.stop()]);
  });
  return servers;
}

/** A server with a connection to it, for the tests of a suite. */
export function useQueue(program = SERVERS[0] as string): {
  readonly server: QueueServer;
  readonly connection: Connection;
} {
  const queue = {} as { server: QueueServer; connection: Connection };
  beforeAll(async () => {
    queue.server = await QueueServer.start(program);
    queue.connection = await connect("test", queue.server.address);
  });
  afterAll(async () => {
    await queue.connection.close();
    await queue.server.stop();
  });
  return queue;
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const BIN = new URL("../../packages/fcn/bin/fcn.js", import.meta.url).pathname;

/** A command of fcn in a process of its own. */
export class FcnProcess {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly code: Promise<number | null>;

  /** `through` is a command that runs others, such as one in a network of its own. */
  constructor(args: readonly string[], { through = [] }: { readonly through?: readonly string[] } = {}) {
    const [program, ...rest] = [...through, process.execPath, BIN, ...args] as [string, ...string[]];
    this.child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (text) => {
      this.stdout += String(text);
    });
    this.child.stderr?.on("data", (text) => {
      this.stderr += String(text);
    });
    this.code = once(this.child, "close").then(([code]) => code as number | null);
  }

  /** Waits until the process has printed what a pattern matches. Throws with all it printed if it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout + this.stderr);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended without ${pattern}: ${this.stdout}${this.stderr}`);
      }
      await sleep(20);
    }
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.child.kill(signal);
    await this.code;
  }
}

const started = new Set<FcnProcess>();

/** A worker in a process of its own, when it has begun to take jobs. */
export async function startWorker(queue: string, ...flags: string[]): Promise<FcnProcess> {
  const worker = new FcnProcess(["worker", "--queue", queue, ...flags]);
  started.add(worker);
  await worker.printed(/ works for /);
  return worker;
}

/** Ends all workers that were started. */
export async function endWorkers(): Promise<void> {
  for (const worker of started) if (worker.child.exitCode === null) await worker.kill();
  started.clear();
}
