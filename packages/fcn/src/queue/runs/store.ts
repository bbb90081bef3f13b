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

/** Records that a chunk is done, unless it is already, or its run has ended: a part counts once. */
const FINISH = `
local function take(key) return redis.call("HDEL", key, ARGV[1]) == 1 end
if redis.call("HGET", KEYS[1], "state") == "running" and (take(KEYS[2]) or take(KEYS[3])) then
  redis.call("HDEL", KEYS[1], "problem")
  redis.call("HSET", KEYS[5], ARGV[2], ARGV[3])
  if ARGV[4] then redis.call("HSET", KEYS[4], ARGV[1], ARGV[4]) end
end
return redis.call("HLEN", KEYS[2])`;

/**
 * Records that a chunk is done that is open, or was given up too early, with its part unless that is a file, and the
 * seconds that an item took. Does nothing for one that is done, as where two workers had it. Returns how many are open.
 */
export async function finishChunk(
  { redis }: Redis,
  id: string,
  { k }: Chunk,
  { part, worker, seconds }: { readonly part?: unknown; readonly worker: string; readonly seconds: number },
): Promise<number> {
  const { run, open, aside, parts, speed } = keysOf(id);
  const given = [k, worker, seconds, ...(part === undefined ? [] : [JSON.stringify(part)])];
  return (await redis.eval(FINISH, 5, run, open, aside, parts, speed, ...given)) as number;
}

/** Moves a chunk from the open ones to those that are given up. */
const PUT_ASIDE = `
if redis.call("HDEL", KEYS[1], ARGV[1]) == 1 then redis.call("HSET", KEYS[2], ARGV[1], ARGV[2]) end`;

/** Gives up a chunk if it is open. */
export async function putAside({ redis }: Redis, id: string, chunk: Chunk, reason: string): Promise<void> {
  const { open, aside } = keysOf(id);
  const entry: Aside = { ...chunk, reason };
  await redis.eval(PUT_ASIDE, 2, open, aside, chunk.k, JSON.stringify(entry));
}

/** Moves chunks back that are still given up. Whoever else did so may have seen them done by now. */
const REOPEN = `
local opened = 0
for i = 2, #ARGV, 2 do
  if redis.call("HDEL", KEYS[3], ARGV[i]) == 1 then
    redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1])
    opened = opened + 1
  end
end
if opened == 0 and redis.call("HGET", KEYS[1], "state") ~= "failed" then return 0 end
redis.call("HSET", KEYS[1], "state", "running")
redis.call("HDEL", KEYS[1], "error", "result", "closed")
redis.call("SADD", KEYS[5], ARGV[1])
for i = 1, 4 do redis.call("PERSIST", KEYS[i]) end
return opened`;

/** Opens chunks again that were given up, of a run that has ended or not. Returns how many. */
export async function reopen({ redis }: Redis, id: string, chunks: readonly Chunk[]): Promise<number> {
  const { run, open, aside, parts } = keysOf(id);
  const rows = chunks.flatMap(({ k, from, to }) => [k, `${from}-${to}`]);
  return (await redis.eval(REOPEN, 5, run, open, aside, parts, OPEN_RUNS, id, ...rows)) as number;
}

/** The parts of a run in the order of their chunks. */
export async function partsOf({ redis }: Redis, id: string): Promise<unknown[]> {
  return (await partEntries(redis, id)).map(([, part]) => part);
}

async function partEntries(redis: Connection["redis"], id: string): Promise<[k: string, part: unknown][]> {
  const found = Object.entries(await redis.hgetall(keysOf(id).parts));
  return found.sort(([a], [b]) => Number(a) - Number(b)).map(([k, text]) => [k, JSON.parse(text) as unknown]);
}

/** Parts that a run keeps one by one, where its kind can fold them. */
export const MOST_PARTS = 32;

/** Puts the sum of parts in the place of the first, unless some of them have been folded meanwhile. */
const FOLD = `
for i = 2, #ARGV do
  if redis.call("HEXISTS", KEYS[1], ARGV[i]) == 0 then return end
end
for i = 3, #ARGV do redis.call("HDEL", KEYS[1], ARGV[i]) end
redis.call("HSET", KEYS[1], ARGV[2], ARGV[1])`;

/** Makes one part of all where there are more than {@link MOST_PARTS}. */
export async function foldParts(
  { redis }: Redis,
  id: string,
  fold: (parts: readonly unknown[]) => unknown,
): Promise<void> {
  const { parts } = keysOf(id);
  if ((await redis.hlen(parts)) <= MOST_PARTS) return;
  const entries = await partEntries(redis, id);
  const sum = await fold(entries.map(([, part]) => part));
  await redis.eval(FOLD, 1, parts, JSON.stringify(sum), ...entries.map(([k]) => k));
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

/** Ends a run that is running. The first end counts. What was opened again while its result was made is waited for. */
const END = `
if redis.call("HGET", KEYS[1], "state") ~= "running" then return 0 end
if ARGV[4] and (redis.call("HLEN", KEYS[2]) > 0 or redis.call("HLEN", KEYS[3]) ~= tonumber(ARGV[4])) then return 0 end
redis.call("HSET", KEYS[1], "state", ARGV[1], ARGV[2], ARGV[3])
redis.call("HDEL", KEYS[1], "problem")
return 1`;

/** Ends a run with an error, if it is running. */
export async function failRun({ redis }: Redis, id: string, error: TensorError): Promise<void> {
  const { run, open, aside } = keysOf(id);
  await redis.eval(END, 3, run, open, aside, "failed", "error", JSON.stringify(toldOf(error)));
}

/**
 * Ends a run with its result, for which all of its chunks were done but so many that were given up. Returns false if
 * that is so no more, or the run has ended.
 */
export async function completeRun({ redis }: Redis, id: string, result: unknown, givenUp: number): Promise<boolean> {
  const { run, open, aside } = keysOf(id);
  return (await redis.eval(END, 3, run, open, aside, "done", "result", JSON.stringify(result), givenUp)) === 1;
}

/** Whether a run has ended for good: it was cancelled, or is done with nothing left that could be retried. */
export async function hasEnded({ redis }: Redis, id: string): Promise<boolean> {
  const { run, aside } = keysOf(id);
  const state = await redis.hget(run, "state");
  return state === "cancelled" || (state === "done" && (await redis.hlen(aside)) === 0);
}

/** Ends a run for good, also one that failed or has something put aside. */
export const cancelRun = ({ redis }: Redis, id: string): Promise<unknown> =>
  redis.hset(keysOf(id).run, "state", "cancelled");

/** Closes a run unless it was opened again. */
const CLOSE = `
if redis.call("HGET", KEYS[1], "state") == "running" then return 0 end
redis.call("SREM", KEYS[6], ARGV[1])
redis.call("HSET", KEYS[1], "closed", 1)
redis.call("HDEL", KEYS[1], "problem")
redis.call("DEL", KEYS[5])
if ARGV[3] then redis.call("DEL", KEYS[2]) end
for i = 1, 4 do redis.call("EXPIRE", KEYS[i], ARGV[2]) end
return 1`;

/**
 * Forgets a run that has ended, in a week; what only a running one needs, at once. Returns false if it was opened
 * again.
 */
export async function closeRun({ redis }: Redis, id: string, canBeRetried: boolean): Promise<boolean> {
  const { run, open, aside, parts, speed } = keysOf(id);
  const given = [id, KEPT, ...(canBeRetried ? [] : ["all"])];
  return (await redis.eval(CLOSE, 6, run, open, aside, parts, speed, OPEN_RUNS, ...given)) === 1;
}
