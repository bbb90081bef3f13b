import { TensorError } from "@fcn/tensor";
import type { Redis } from "ioredis";
import { packageVersion } from "../../files/version.js";

/** The oldest server that BullMQ recommends; Valkey says it is 7.2 or later. */
const OLDEST = [6, 2] as const;

/** Milliseconds by which the clocks of machines may differ: jobs carry the times of whoever added them. */
const MOST_SKEW = 10_000;

/** Who works on this queue. */
const VERSION_KEY = "fcn:version";

/**
 * Throws `unfit-queue` for a server that is too old, that forgets jobs when its memory is full, or whose clock is
 * apart from that of this machine, and `other-version` if another version of this library has work there.
 */
export async function checkServer(op: string, address: string, redis: Redis): Promise<void> {
  const facts = new Map((await redis.info()).split(/\r?\n/).map((line) => line.split(":", 2) as [string, string]));
  const version = facts.get("redis_version") ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw unfit(
      `${op}: the queue at ${address} is Redis ${version}`,
      `use Redis ${OLDEST.join(".")} or later, or Valkey`,
    );
  }
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    throw unfit(
      `${op}: the queue at ${address} forgets jobs when its memory is full (maxmemory-policy is ${policy})`,
      "set it: redis-cli CONFIG SET maxmemory-policy noeviction; and in the server's configuration",
    );
  }
  const before = Date.now();
  const [seconds] = await redis.time();
  const middle = (before + Date.now()) / 2;
  const skew = Number(seconds) * 1000 + 500 - middle;
  if (Math.abs(skew) > MOST_SKEW) {
    const apart = `${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "behind" : "ahead of"}`;
    throw unfit(
      `${op}: the clock of this machine is ${apart} that of the queue at ${address}`,
      "set both by a time server (NTP)",
    );
  }
  await checkVersion(op, address, redis);
}

async function checkVersion(op: string, address: string, redis: Redis): Promise<void> {
  const own = await packageVersion();
  const theirs = (await redis.set(VERSION_KEY, own, "NX", "GET")) as string | null;
  if (theirs === null || theirs === own) return;
  if ((await redis.scard("fcn:open")) === 0) return void (await redis.set(VERSION_KEY, own));
  throw new TensorError({
    code: "other-version",
    message: `${op}: the queue at ${address} has open runs of @fcn/core ${theirs}, and this is ${own}`,
    fix: `install @fcn/core@${theirs}, or wait until those runs are done (fcn jobs), or use another database of the server (${address.replace(/\/\d+$/, "")}/1)`,
  });
}

const unfit = (message: string, fix: string): TensorError => new TensorError({ code: "unfit-queue", message, fix });

/** Whether the server keeps jobs on disk, so that they outlive a restart. */
export async function keepsJobs(redis: Redis): Promise<boolean> {
  return /^aof_enabled:1/m.test(await redis.info("persistence"));
}
