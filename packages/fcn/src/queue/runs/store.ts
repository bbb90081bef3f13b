import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { type ToldError, toldOf } from "../../data/files/errors.js";
import type { Connection } from "../server/connection.js";
import type { Aside, Chunk, Run, RunSpec, RunState } from "./spec.js";

/** Seconds for which the record of a run is kept after its end. */
const KEPT = 7 * 24 * 3600;

const OPEN_RUNS = "fcn:open";
const keysOf = (id: string) => ({
  run: `fcn:run:${id}`,
  open: `fcn:run:${id}:open`,
  aside: `fcn:run:${id}:aside`,
  parts: `fcn:run:${id}:parts`,
  speed: `fcn:run:${id}:speed`,
});

/** Adds chunks unless another process has added some since they were cut. */
const ADD_CHUNKS = `
if redis.call("HGET", KEYS[1], "chunks") ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call("HSET", KEYS[1], "chunks", ARGV[1] + (#ARGV - 2) / 2, "next", ARGV[2])
return 1`;

type Redis = Pick<Connection, "redis">;

/** Makes the record of a run with so many items. */
export async function createRun({ redis }: Redis, id: string, spec: RunSpec, total: number): Promise<void> {
  const fields = { spec: JSON.stringify(spec), state: "running", total, next: 0, chunks: 0 };
  await redis.multi().hset(keysOf(id).run, fields).sadd(OPEN_RUNS, id).exec();
}

export function newRunId(): string {
  return nodeModule("queue", "node:crypto").randomBytes(6).toString("hex");
}

/** The record of a run. Throws `unknown-run` if there is none. */
export async function readRun(op: string, connection: Connection, id: string): Promise<Run> {
  const fields = /^[0-9a-f]{12}$/.test(id) ? await connection.redis.hgetall(keysOf(id).run) : {};
  const { spec, state, total, next, chunks, error, problem, result, closed } = fields;
  if (spec === undefined) {
    throw new TensorError({
      code: "unknown-run",
      message: `${op}: the queue at ${connection.address} has no run ${JSON.stringify(id)}`,
      fix: {
        code: "take an id from queue.jobs(); runs are forgotten a week after their end",
        command: "fcn jobs --queue ADDRESS lists them; runs are forgotten a week after their end",
      },
    });
  }
  return {
    ...{ id, spec: JSON.parse(spec) as RunSpec, state: state as RunState, isClosed: closed !== undefined },
    ...{ total: Number(total), next: Number(next), chunks: Number(chunks) },
    ...(error && { error: JSON.parse(error) as ToldError }),
    ...(problem && { problem: JSON.parse(problem) as ToldError }),
    ...(result && { result: JSON.parse(result) as unknown }),
  };
}

export const openRunIds = ({ redis }: Redis): Promise<string[]> => redis.smembers(OPEN_RUNS);

/** All runs whose records are kept, the newest first. */
export async function listRuns(op: string, connection: Connection): Promise<Run[]> {
  const ids = new Set<string>();
  for await (const keys of connection.redis.scanStream({ match: "fcn:run:*", count: 500, type: "hash" })) {
    for (const key of keys as string[]) if (/^fcn:run:[0-9a-f]{12}$/.test(key)) ids.add(key.slice("fcn:run:".length));
  }
  const runs = await Promise.all(Array.from(ids, (id) => readRun(op, connection, id)));
  return runs.sort((a, b) => b.spec.created - a.spec.created);
}

/** Records chunks [{ k, from, to }] that follow the last one. Returns false if another process has added some. */
export async function addChunks(connection: Connection, run: Run, chunks: readonly Chunk[]): Promise<boolean> {
  const { run: key, open } = keysOf(run.id);
  const next = chunks.at(-1)?.to ?? run.next;
  const rows = chunks.flatMap(({ k, from, to }) => [k, `${from}-${to}`]);
  return (await connection.redis.eval(ADD_CHUNKS, 2, key, open, run.chunks, next, ...rows)) === 1;
}

const chunkOf = ([k, range]: [string, string]): Chunk => {
  const [from, to] = range.split("-").map(Number) as [number, number];
  return { k: Number(k), from, to };
};

/** The chunks that are waiting or at work, in order. */
export async function openChunks({ redis }: Redis, id: string): Promise<Chunk[]> {
  const found = await redis.hgetall(keysOf(id).open);
  return Object.entries(found)
    .map(chunkOf)
    .sort((a, b) => a.k - b.k);
}

/** The chunks that were given up, in order. */
export async function asideChunks({ redis }: Redis, id: string): Promise<Aside[]> {
  const found = await redis.hgetall(keysOf(id).aside);
  return Object.values(found)
    .map((text) => JSON.parse(text) as Aside)
    .sort((a, b) => a.k - b.k);
}

/** A chunk that is open, or undefined if it is done or was given up. */
export async function openChunk({ redis }: Redis, id: string, k: number): Promise<Chunk | undefined> {
  const range = await redis.hget(keysOf(id).open, String(k));
  return range === null ? undefined : chunkOf([String(k), range]);
}

/**
 * Records that a chunk is done, with its part unless that is a file, and the seconds that an item took. Returns how
 * many chunks are open.
 */
export async function finishChunk(
  { redis }: Redis,
  id: string,
  { k }: Chunk,
  { part, worker, seconds }: { readonly part?: unknown; readonly worker: string; readonly seconds: number },
): Promise<number> {
  const { run, open, aside, parts, speed } = keysOf(id);
  const commands = redis.multi().hdel(run, "problem");
  if (part !== undefined) commands.hset(parts, k, JSON.stringify(part));
  commands.hdel(open, String(k)).hdel(aside, String(k)).hset(speed, worker, seconds);
  const results = await commands.hlen(open).exec();
  return (results?.at(-1)?.[1] as number | undefined) ?? 0;
}

/** Gives up an open chunk. */
export async function putAside({ redis }: Redis, id: string, chunk: Chunk, reason: string): Promise<void> {
  const { open, aside } = keysOf(id);
  const entry: Aside = { ...chunk, reason };
  await redis.multi().hset(aside, chunk.k, JSON.stringify(entry)).hdel(open, String(chunk.k)).exec();
}

/** Opens chunks again that were given up. */
export async function reopen({ redis }: Redis, id: string, chunks: readonly Chunk[]): Promise<void> {
  const { run, open, aside, parts } = keysOf(id);
  const commands = redis
    .multi()
    .sadd(OPEN_RUNS, id)
    .hset(run, "state", "running")
    .hdel(run, "error", "result", "closed");
  for (const { k, from, to } of chunks) commands.hset(open, k, `${from}-${to}`).hdel(aside, String(k));
  for (const key of [run, open, aside, parts]) commands.persist(key);
  await commands.exec();
}

/** The parts of a run in the order of their chunks. */
export async function partsOf({ redis }: Redis, id: string): Promise<unknown[]> {
  const found = Object.entries(await redis.hgetall(keysOf(id).parts));
  return found.sort(([a], [b]) => Number(a) - Number(b)).map(([, text]) => JSON.parse(text) as unknown);
}

/** The seconds that an item takes on each worker so far. */
export async function secondsPerItem({ redis }: Redis, id: string): Promise<number[]> {
  return (await redis.hvals(keysOf(id).speed)).map(Number);
}

/** Adds items of another kind, whose speed is not known. */
export const setTotal = ({ redis }: Redis, id: string, total: number): Promise<unknown> =>
  redis.multi().hset(keysOf(id).run, "total", total).del(keysOf(id).speed).exec();

/** Records what keeps a run from going on, until something of it is done. */
export const setProblem = ({ redis }: Redis, id: string, problem: TensorError): Promise<unknown> =>
  redis.hset(keysOf(id).run, "problem", JSON.stringify(toldOf(problem)));

/** Ends a run that is running. The first end counts. */
const END = `
if redis.call("HGET", KEYS[1], "state") ~= "running" then return 0 end
redis.call("HSET", KEYS[1], "state", ARGV[1])
redis.call("HDEL", KEYS[1], "problem")
if ARGV[2] ~= "" then redis.call("HSET", KEYS[1], ARGV[2], ARGV[3]) end
return 1`;

export async function endRun(
  { redis }: Redis,
  id: string,
  state: Exclude<RunState, "running">,
  what: { readonly result?: unknown; readonly error?: TensorError } = {},
): Promise<void> {
  const [field, text] = what.error
    ? ["error", JSON.stringify(toldOf(what.error))]
    : what.result === undefined
      ? ["", ""]
      : ["result", JSON.stringify(what.result)];
  await redis.eval(END, 1, keysOf(id).run, state, field, text);
}

/** Ends a run for good, also one that failed or has something put aside. */
export const cancelRun = ({ redis }: Redis, id: string): Promise<unknown> =>
  redis.hset(keysOf(id).run, "state", "cancelled");

/** Forgets a run that has ended, in a week; what only a running one needs, at once. */
export async function closeRun({ redis }: Redis, id: string, canBeRetried: boolean): Promise<void> {
  const { run, open, aside, parts, speed } = keysOf(id);
  const commands = redis.multi().srem(OPEN_RUNS, id).hset(run, "closed", 1).del(speed);
  if (!canBeRetried) commands.del(open);
  for (const key of [run, open, aside, parts]) commands.expire(key, KEPT);
  await commands.exec();
}
