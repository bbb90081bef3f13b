import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { QueueServer, SERVERS } from "../../support/queueServer.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-queue-server");

/** What `fcn jobs` would say of a queue that cannot be used. */
async function refusal(address: string): Promise<string> {
  const found = await fcn.queue.jobs(address).then(
    () => "it was taken",
    (error: Error & { code?: string; commandFix?: string }) => `${error.code}: ${error.message} / ${error.commandFix}`,
  );
  expect(found).not.toContain("\n");
  return found;
}

describe("the address of a queue", () => {
  it.each(["localhost:6379", "http://localhost:6379", "redis://", ""])("is refused where it is %j", async (address) => {
    expect(await refusal(address)).toMatch(
      /^invalid-argument: jobs: the queue is ".*" \/ name a Redis or Valkey server/,
    );
  });

  it("of no server is said to give no answer, with the reason", async () => {
    const found = await refusal("redis://127.0.0.1:9");
    expect(found).toMatch(/^no-queue: jobs: the queue at redis:\/\/127\.0\.0\.1:9 does not answer: .*ECONNREFUSED/);
    expect(found).toContain("redis-cli");
  });

  it("of a server of another kind too", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/^no-queue: .* does not answer: /);
    server.close();
  });
});

describe.each(SERVERS)("a queue of %s", (program) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await QueueServer.start(program);
  });
  afterEach(() => vi.useRealTimers());
  afterAll(() => server.stop());

  it("is empty at first, and keeps jobs on disk", async () => {
    expect(await fcn.queue.jobs(server.address)).toEqual({
      ...{ queue: server.address, keepsJobs: true, workers: [], runs: [] },
    });
  });

  it("that forgets jobs when its memory is full is refused", async () => {
    await server.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    expect(await refusal(server.address)).toMatch(
      /^unfit-queue: .* forgets jobs when its memory is full \(maxmemory-policy is allkeys-lru\) \/ set it: redis-cli CONFIG SET maxmemory-policy noeviction/,
    );
    await server.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
  });

  it("that another version of the library has work on is refused, and taken once that is done", async () => {
    await server.call("SET", "fcn:version", "99.0.0");
    await server.call("SADD", "fcn:open", "0123456789ab");
    expect(await refusal(server.address)).toMatch(
      /^other-version: .* has open runs of @fcn\/core 99\.0\.0, and this is \d+\.\d+\.\d+ \/ install @fcn\/core@99\.0\.0, or wait/,
    );
    await server.call("DEL", "fcn:open");
    expect(await refusal(server.address)).toBe("it was taken");
  });

  it("whose clock is apart is refused", async () => {
    vi.useFakeTimers({ now: Date.now() - 90_000, toFake: ["Date"] });
    expect(await refusal(server.address)).toMatch(
      /^unfit-queue: jobs: the clock of this machine is (89|90|91) s behind that of the queue at .* \/ set both by a time server \(NTP\)/,
    );
  });

  it("that is too old is refused", async () => {
    const old = await rewriting(server.port, /redis_version:\d+\.\d+\.\d+/, (text) =>
      "redis_version:5.0.7".padEnd(text.length, "0"),
    );
    expect(await refusal(`redis://127.0.0.1:${old.port}`)).toMatch(
      /^unfit-queue: .* is Redis 5\.0\.7\d* \/ use Redis 6\.2 or later/,
    );
    old.close();
  });

  it("does not know a run", async () => {
    await expect(fcn.queue.cancel(server.address, "0123456789ab")).rejects.toMatchObject({
      code: "unknown-run",
      message: `jobs: the queue at ${server.address} has no run "0123456789ab"`,
    });
  });

  it("with a password is used with that of the environment", async () => {
    const closed = await QueueServer.start(program, ["--requirepass", "open sesame"]);
    expect(await refusal(closed.address)).toMatch(/^no-queue: .*NOAUTH.* \/ set FCN_QUEUE_PASSWORD/);
    vi.stubEnv("FCN_QUEUE_PASSWORD", "wrong");
    expect(await refusal(closed.address)).toMatch(/^no-queue: .*WRONGPASS.* \/ set FCN_QUEUE_PASSWORD/);
    vi.stubEnv("FCN_QUEUE_PASSWORD", "open sesame");
    const { queue } = await fcn.queue.jobs(closed.address);
    expect(queue).toBe(closed.address);
    vi.unstubAllEnvs();
    const named = closed.address.replace("//", "//:open%20sesame@");
    expect((await fcn.queue.jobs(named)).queue).toBe(closed.address);
    await closed.stop();
  });

  it("with certificates is used with those of the environment", async () => {
    const { ca, cert, key } = certificates();
    const tls = ["--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", key];
    const encrypted = await QueueServer.start(program, tls);
    expect(await refusal(encrypted.address)).toMatch(/^no-queue: .* \/ .*FCN_QUEUE_CA/);
    for (const [name, path] of Object.entries({ CA: ca, CERT: cert, KEY: key })) vi.stubEnv(`FCN_QUEUE_${name}`, path);
    expect((await fcn.queue.jobs(encrypted.address)).queue).toBe(encrypted.address);
    vi.stubEnv("FCN_QUEUE_CA", join(root, "nothing.pem"));
    expect(await refusal(encrypted.address)).toMatch(/^unreadable-file: jobs: FCN_QUEUE_CA names .*nothing\.pem/);
    vi.unstubAllEnvs();
    await encrypted.stop();
  });
});

/** A certificate of an authority of its own, for 127.0.0.1. */
function certificates(): { ca: string; cert: string; key: string } {
  const path = (name: string): string => join(root, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: root, stdio: "ignore" });
  const [ca, cert, key] = [path("ca.pem"), path("cert.pem"), path("key.pem")];
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    ca,
    "-days",
    "2",
    "-subj",
    "/CN=authority",
  );
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    "request.pem",
    "-subj",
    "/CN=127.0.0.1",
    "-addext",
    "subjectAltName=IP:127.0.0.1",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "request.pem",
    "-CA",
    ca,
    "-CAkey",
    "ca.key",
    "-out",
    cert,
    "-days",
    "2",
    "-copy_extensions",
    "copy",
  );
  return { ca, cert, key };
}

/** A way to a server on which one text is replaced by another of the same length. */
async function rewriting(port: number, from: RegExp, to: (text: string) => string): Promise<Server & { port: number }> {
  const way = createServer((socket) => {
    const server = connect(port, "127.0.0.1");
    socket.pipe(server);
    server.on("data", (bytes) => socket.write(Buffer.from(bytes.toString("latin1").replace(from, to), "latin1")));
    server.on("close", () => socket.destroy());
    for (const end of [socket, server]) end.on("error", () => {});
  });
  way.listen(0, "127.0.0.1");
  await once(way, "listening");
  return Object.assign(way, { port: (way.address() as { port: number }).port });
}
