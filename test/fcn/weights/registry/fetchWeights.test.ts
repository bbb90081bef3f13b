import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type FetchOptions, fetchWeights, type WeightsEntry } from "@fcn/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Behaviour, bytes, entryFor, FileServer } from "./server.js";

const CONTENT = bytes(300_000);
const servers: FileServer[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-weights-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(behaviour: Partial<Behaviour> = {}): Promise<{ server: FileServer; url: string }> {
  const server = new FileServer({ content: CONTENT, ...behaviour });
  servers.push(server);
  return { server, url: await server.listen() };
}

const get = (entry: WeightsEntry, options: FetchOptions = {}) =>
  fetchWeights(entry, { cacheDir: folder, retries: 1, ...options });
const files = async (): Promise<string[]> => (await readdir(folder)).sort();

describe("fetchWeights", () => {
  it("downloads once, checks what is known, and takes it from the cache afterwards", async () => {
    const { server, url } = await serve();
    const entry = entryFor(url, CONTENT, ["sha256", "size"]);
    const progress: number[] = [];
    const first = await get(entry, { onProgress: ({ received, total }) => progress.push(received / (total ?? 0)) });
    expect(first).toEqual({ path: join(folder, "weights.pth"), entry, cached: false, checked: ["checksum", "size"] });
    expect(Buffer.compare(await readFile(first.path), CONTENT)).toBe(0);
    expect(progress.at(-1)).toBe(1);
    expect(await get(entry)).toEqual({ ...first, cached: true });
    expect(await get(entry, { offline: true })).toEqual({ ...first, cached: true });
    expect(server.asked).toEqual(["all"]);
    expect(await files()).toEqual(["weights.pth"]);
  });

  it.each([
    ["nothing", [], []],
    ["the size", ["size"], ["size"]],
    ["an MD5", ["md5"], ["checksum"]],
  ] as const)("says what it could compare where %s is published", async (_, known, checked) => {
    const { url } = await serve();
    expect((await get(entryFor(url, CONTENT, known))).checked).toEqual(checked);
  });

  it("goes on where each connection broke, until all is there", async () => {
    const { server, url } = await serve({ cutAfter: 70_000, etag: '"1"' });
    const { path } = await get(entryFor(url, CONTENT, ["sha256"]));
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
    expect(server.asked[0]).toBe("all");
    expect(server.asked.length).toBeGreaterThanOrEqual(5);
    const begins = server.asked.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    expect(begins.every((begin, i) => begin > (begins[i - 1] ?? 0))).toBe(true);
    expect(await files()).toEqual(["weights.pth"]);
  });

  it("keeps what came when it gives up, and asks the next time for the rest alone", async () => {
    const { server, url } = await serve({ cutAfter: 120_000, etag: '"1"' });
    const entry = entryFor(url, CONTENT, []);
    const broken = get(entry, {
      retries: 0,
      onProgress: () => {
        server.behaviour.status = 503;
      },
    });
    await expect(broken).rejects.toMatchObject({
      code: "no-network",
      message: expect.stringMatching(
        /^fetchWeights test\/weights: no connection to 127.0.0.1:\d+ \(status 503\); the \d+ bytes that arrived are kept/,
      ),
    });
    expect(await files()).toEqual(["weights.pth.part", "weights.pth.part.validator"]);
    const kept = (await readFile(join(folder, "weights.pth.part"))).length;
    expect(kept).toBeGreaterThan(0);
    server.behaviour = { content: CONTENT, etag: '"1"' };
    const { path } = await get(entry);
    expect(server.asked.at(-1)).toBe(`bytes=${kept}-`);
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it("begins anew when the file on the server is another one", async () => {
    const { server, url } = await serve({ etag: '"new"' });
    await writeFile(join(folder, "weights.pth.part"), bytes(1000, 9));
    await writeFile(join(folder, "weights.pth.part.validator"), '"old"');
    const { path } = await get(entryFor(url, CONTENT, []));
    expect(server.asked).toEqual(["bytes=1000-"]);
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it("adds to nothing that neither a checksum nor the server vouches for", async () => {
    const { server, url } = await serve();
    await writeFile(join(folder, "weights.pth.part"), bytes(1000, 9));
    const { path } = await get(entryFor(url, CONTENT, []));
    expect(server.asked).toEqual(["all"]);
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it("takes the whole from a server that knows no ranges", async () => {
    const { url } = await serve({ ranges: false, chunked: true });
    await writeFile(join(folder, "weights.pth.part"), CONTENT.subarray(0, 5000));
    const { path } = await get(entryFor(url, CONTENT, ["sha256"]));
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it.each([CONTENT.length, CONTENT.length + 7])("knows what to do with a part of %d bytes", async (length) => {
    const { url } = await serve();
    await writeFile(join(folder, "weights.pth.part"), bytes(length));
    const { path } = await get(entryFor(url, CONTENT, ["sha256"]));
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it("gives up on a connection over which nothing comes", async () => {
    const { url } = await serve({ stallAfter: 50_000 });
    const entry = entryFor(url, CONTENT, []);
    await expect(get(entry, { idleSeconds: 0.2, retries: 0 })).rejects.toThrow(/nothing came for 0.2 s/);
  });

  it("stops when it is told to", async () => {
    const { url } = await serve({ stallAfter: 50_000 });
    const controller = new AbortController();
    const running = get(entryFor(url, CONTENT, []), { signal: controller.signal });
    const failed = expect(running).rejects.toThrow("enough");
    await setTimeout(100);
    controller.abort(new Error("enough"));
    await failed;
    expect(await files()).not.toContain("weights.pth.lock");
  });

  it("lets several calls have one download", async () => {
    const { server, url } = await serve({ cutAfter: 100_000, etag: '"1"' });
    const entry = entryFor(url, CONTENT, ["sha256"]);
    const all = await Promise.all([get(entry), get(entry), get(entry)]);
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1);
    expect(server.asked.filter((range) => range === "all")).toHaveLength(1);
    expect(await files()).toEqual(["weights.pth"]);
  });

  it("takes over from a process that is gone", async () => {
    const { url } = await serve();
    const { hostname } = await import("node:os");
    // No process has this number: the kernel's largest is far below.
    const namespace = await readlink("/proc/self/ns/pid").catch(() => undefined);
    const owner = { pid: 99999999, host: hostname(), namespace };
    await writeFile(join(folder, "weights.pth.lock"), JSON.stringify(owner));
    await get(entryFor(url, CONTENT, []));
    expect(await files()).toEqual(["weights.pth"]);
  });
});

describe("a process that is killed in the middle", () => {
  it("leaves a part that the next one goes on with", async () => {
    const { server, url } = await serve({ stallAfter: 130_000, etag: '"1"' });
    const entry = entryFor(url, CONTENT, ["sha256"]);
    const call = `fetchWeights(${JSON.stringify(entry)}, { cacheDir: ${JSON.stringify(folder)} })`;
    const script = `import { fetchWeights } from "@fcn/core"; await ${call};`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" });
    const part = join(folder, "weights.pth.part");
    const arrived = async (): Promise<number> =>
      readFile(part).then(
        (data) => data.length,
        () => 0,
      );
    while ((await arrived()) < 130_000 && child.exitCode === null) await setTimeout(50);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(await files()).toContain("weights.pth.lock");
    server.behaviour = { content: CONTENT, etag: '"1"' };
    const { path } = await get(entry);
    expect(server.asked).toEqual(["all", "bytes=130000-"]);
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
    expect(await files()).toEqual(["weights.pth"]);
  });
});

describe("fetchWeights refuses", () => {
  const code = (name: string, message: RegExp) => ({ code: name, message: expect.stringMatching(message) });

  it("a file with another checksum, and keeps nothing of it", async () => {
    const { url } = await serve();
    const entry = entryFor(url, bytes(10), ["sha256"]);
    await expect(get(entry)).rejects.toMatchObject(
      code("checksum-mismatch", /is not the published one: its sha256 is [0-9a-f]{64}, published is/),
    );
    expect(await files()).toEqual([]);
  });

  it("a file of another size, before it is on the disk", async () => {
    const { url } = await serve();
    await expect(get(entryFor(url, bytes(10), ["size"]))).rejects.toMatchObject(
      code("download-refused", /sent a file of 300000 bytes, published are 10 bytes/),
    );
    const chunked = await serve({ chunked: true });
    await expect(get(entryFor(chunked.url, bytes(10), ["size"]))).rejects.toMatchObject(
      code("checksum-mismatch", /it has 300000 bytes, published are 10 bytes/),
    );
    expect(await files()).toEqual([]);
  });

  it("a web page in place of a file, and addresses that lead nowhere, without asking twice", async () => {
    const page = await serve({ type: "text/html; charset=utf-8" });
    await expect(get(entryFor(page.url, CONTENT, []))).rejects.toMatchObject(code("download-refused", /a web page/));
    const gone = await serve({ status: 404 });
    await expect(get(entryFor(gone.url, CONTENT, []))).rejects.toMatchObject(code("download-refused", /status 404/));
    expect(gone.server.asked).toHaveLength(1);
  });

  it("a file of the cache that is not the published one, and leaves it to its owner", async () => {
    await writeFile(join(folder, "weights.pth"), "mine");
    const entry = entryFor("http://127.0.0.1:1", CONTENT, ["sha256"]);
    await expect(get(entry)).rejects.toMatchObject(code("checksum-mismatch", /weights.pth: its sha256 is/));
    expect(await readFile(join(folder, "weights.pth"), "utf8")).toBe("mine");
  });

  it("to do without a network what needs one, with one clear message", async () => {
    const entry = entryFor("http://127.0.0.1:1", CONTENT, []);
    const target = join(folder, "weights.pth");
    const byHand = `get http://127.0.0.1:1/weights.pth on another machine and put it at ${target}`;
    await expect(get(entry, { offline: true })).rejects.toMatchObject({
      code: "no-network",
      message: `fetchWeights test/weights: ${target} is not there, and offline is set`,
      fix: `fetch it once with a network, or ${byHand}`,
    });
    const { server, url } = await serve();
    await server.close();
    await expect(get(entryFor(url, CONTENT, []), { retries: 0 })).rejects.toMatchObject({
      ...code("no-network", /^fetchWeights test\/weights: no connection to 127.0.0.1:\d+ \(ECONNREFUSED\)$/),
      fix: expect.stringMatching(/^connect to the network and try again, or get http/),
    });
  });

  it("a folder that cannot be written, and entries that are none", async () => {
    const { url } = await serve();
    await writeFile(join(folder, "file"), "");
    const inFile = get(entryFor(url, CONTENT, []), { cacheDir: join(folder, "file", "below") });
    const problem = /^fetchWeights test\/weights: cannot write .*below: a part of its path is a file/;
    await expect(inFile).rejects.toMatchObject({
      ...code("unwritable-file", problem),
      fix: expect.stringContaining("cacheDir"),
    });
    if (process.platform === "linux") {
      // Node's own recursive mkdir never ends there.
      const inProc = get(entryFor(url, CONTENT, []), { cacheDir: "/proc/nowhere/cache" });
      await expect(inProc).rejects.toMatchObject(code("unwritable-file", /cannot write \/proc\/nowhere\/cache: /));
    }
    const entry = entryFor(url, CONTENT, []);
    for (const wrong of [
      { file: "../weights.pth" },
      { file: "" },
      { url: "file:///etc/passwd" },
      { url: "no address" },
    ]) {
      await expect(get({ ...entry, ...wrong })).rejects.toMatchObject({ code: "invalid-argument" });
    }
    await expect(fetchWeights("torchvision/fcn_resnet5")).rejects.toMatchObject({
      code: "invalid-argument",
      fix: expect.stringContaining("torchvision/fcn_resnet50"),
    });
  });
});

describe("the cache folder", () => {
  it("follows FCN_CACHE, then XDG_CACHE_HOME", async () => {
    const { FCN_CACHE, XDG_CACHE_HOME } = process.env;
    try {
      for (const [variables, place] of [
        [{ FCN_CACHE: join(folder, "own") }, join(folder, "own")],
        [{ XDG_CACHE_HOME: join(folder, "xdg") }, join(folder, "xdg", "fcn", "weights")],
      ] as const) {
        delete process.env.FCN_CACHE;
        Object.assign(process.env, variables);
        await mkdir(place, { recursive: true });
        await writeFile(join(place, "weights.pth"), CONTENT);
        const found = await fetchWeights(entryFor("http://127.0.0.1:1", CONTENT, ["md5"]), { offline: true });
        expect(found.path).toBe(join(place, "weights.pth"));
      }
    } finally {
      for (const [name, value] of Object.entries({ FCN_CACHE, XDG_CACHE_HOME })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});
