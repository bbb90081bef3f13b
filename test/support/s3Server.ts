import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that speaks the protocol of S3. */
export interface S3Server {
  /** What programs need in their environment to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder in which it has the buckets as folders. */
  readonly folder: string;
  /** What it has said of its requests, a line each. */
  log(): string;
  /** The same, when it has said nothing more for a while: it tells of a request only after its answer. */
  settledLog(): Promise<string>;
  stop(): Promise<void>;
}

const PROGRAM = join(dirname(createRequire(import.meta.url).resolve("s3rver/package.json")), "bin/s3rver.js");

/** Milliseconds. */
const QUIET = 500;

/** Starts one with these buckets, on a port that is free. It numbers pages of lists by a cipher that Node calls old. */
export async function startS3Server(...buckets: readonly string[]): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "s3-server-"));
  const named = buckets.flatMap((bucket) => ["--configure-bucket", bucket]);
  const args = ["-d", folder, "-a", "127.0.0.1", "-p", "0", ...named];
  const child = spawn(process.execPath, ["--openssl-legacy-provider", PROGRAM, ...args]);
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (text: Buffer): void => {
      said += text;
      const [, host, port] = /listening on (\S+):(\d+)/.exec(said) ?? [];
      if (port !== undefined) resolve(`http://${host}:${port}`);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("close", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: "S3RVER",
    AWS_SECRET_ACCESS_KEY: "S3RVER",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  const stop = async (): Promise<void> => {
    const ended = once(child, "close");
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const settledLog = async (): Promise<string> => {
    for (let before = ""; before !== said; ) {
      before = said;
      await sleep(QUIET);
    }
    return said;
  };
  return { env, folder, log: () => said, settledLog, stop };
}
