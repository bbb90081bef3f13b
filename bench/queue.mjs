/**
 * What a queue costs and gains: `fcn predict` with workers beside `fcn predict` alone.
 *
 *   npm run bench -- queue [--images N] [--size HxW] [--repeats N] [--jobs N] [--kills N] [--server PROGRAM]
 *
 * 1. Images per second alone, with one worker and with two, interleaved; on a software adapter all of them share the
 *    processor, so that two workers are not twice as fast.
 * 2. Many jobs of one tiny image each, with a net of one layer: jobs per second, processor time per image beside the
 *    command alone, memory of the server while jobs wait and at the end, memory of the worker at the beginning and at
 *    the end.
 * 3. Workers that are killed at random while they predict: results that are missing or doubled.
 *
 * Starts a redis-server or valkey-server of its own. Writes bench/results/queue-<adapter>.{json,md} at the default
 * options.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { link, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { writeReport } from "./lib/files.mjs";
import { median } from "./lib/median.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const OPTIONS = {
  images: { type: "string", default: "60" },
  size: { type: "string", default: "256x256" },
  repeats: { type: "string", default: "3" },
  jobs: { type: "string", default: "10000" },
  kills: { type: "string", default: "20" },
  server: { type: "string", default: "redis-server" },
};
const MIB = 2 ** 20;
const BIN = fileURLToPath(new URL("../packages/fcn/bin/fcn.js", import.meta.url));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

async function startServer(program, folder) {
  if (spawnSync(program, ["--version"]).status !== 0)
    throw new Error(`${program} is not installed: npm run setup -- --queue`);
  const port = await freePort();
  const disk = ["--appendonly", "yes", "--save", "", "--dir", folder];
  const child = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", ...disk], { stdio: "ignore" });
  const redis = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  await redis.ping();
  return { address: `redis://127.0.0.1:${port}`, redis, child };
}

/** Bytes that the server holds. */
async function memoryOf(redis) {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))[1]);
}

/** Bytes in memory and seconds of processor time of a process. */
function processOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return {
    bytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024,
    seconds: (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

function run(args) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const told = { child, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (text) => (told[name] += text));
  told.done = once(child, "close").then(([code]) => {
    if (code === 0) return told;
    throw new Error(`fcn ${args.join(" ")} ended with ${code}: ${told.stderr}`);
  });
  told.done.catch(() => {});
  return told;
}

async function startWorker(address, root, ...flags) {
  const worker = run(["worker", "--queue", address, "--root", root, ...flags]);
  while (!/ works for /.test(worker.stdout)) await sleep(20);
  return worker;
}

async function endWorker({ child }, signal = "SIGTERM") {
  const ended = once(child, "close");
  child.kill(signal);
  await ended;
}

async function makeImages(folder, count, [height, width]) {
  const { default: sharp } = await import("sharp");
  await mkdir(folder);
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  const file = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const names = Array.from({ length: count }, (_, i) => join(folder, `${String(i).padStart(7, "0")}.png`));
  for (let i = 0; i < names.length; i += 1000) await writeFile(names[i], file);
  for (const [i, name] of names.entries()) if (i % 1000 > 0) await link(names[i - (i % 1000)], name);
}

/** Weights of a net for photographs, and of one of a single layer. */
async function makeWeights(root) {
  const fcn = await import("@fcn/core");
  const { createDevice } = await import("@fcn/tensor");
  const device = await createDevice({ quiet: true });
  const small = fcn.models.create("fcn8s-small", device, { numClasses: 21, seed: 1 });
  await fcn.saveModel(join(root, "small.safetensors"), small);
  const builder = new fcn.models.GraphBuilder("one-layer");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const score = builder.add("score", { kind: "conv", outChannels: 2, kernelSize: 1 }, image);
  const one = new fcn.models.GraphNet(device, builder.build({ out: score }), 1);
  await fcn.saveModel(join(root, "one.safetensors"), one);
  const { info } = device;
  device.destroy();
  return info;
}

/** Images per second alone and with workers, without the start of any of them. */
async function speeds({ address, root, images, repeats }) {
  const given = ["predict", join(root, "images"), "--weights", join(root, "small.safetensors"), "--save", "labels"];
  let n = 0;
  const alone = async () =>
    JSON.parse((await run([...given, "--out", join(root, `out${n++}`), "--json"]).done).stdout).seconds;
  const queued = async () => {
    const asking = run([...given, "--out", join(root, `out${n++}`), "--queue", address, "--json"]);
    while (!/run [0-9a-f]{12}/.test(asking.stderr)) await sleep(2);
    const start = performance.now();
    await asking.done;
    return (performance.now() - start) / 1000;
  };
  const seconds = { alone: [], one: [], two: [] };
  const workers = [];
  for (let i = 0; i < repeats + 1; i++) {
    const times = { alone: await alone() };
    workers.push(await startWorker(address, root));
    times.one = await queued();
    workers.push(await startWorker(address, root));
    times.two = await queued();
    for (const worker of workers.splice(0)) await endWorker(worker);
    // The first round fills caches.
    if (i > 0) for (const name of Object.keys(seconds)) seconds[name].push(times[name]);
  }
  return Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, images / median(all)]));
}

/** Jobs of one tiny image each. */
async function manyJobs({ address, redis, root, jobs }) {
  await makeImages(join(root, "tiny"), jobs, [16, 16]);
  const given = ["predict", join(root, "tiny"), "--weights", join(root, "one.safetensors"), "--save", "labels"];
  const before = await memoryOf(redis);
  const asking = run([...given, "--out", join(root, "many"), "--queue", address, "--chunk", "1", "--json"]);
  while (!/run [0-9a-f]{12}/.test(asking.stderr)) await sleep(50);
  const worker = await startWorker(address, root);
  const [id] = /[0-9a-f]{12}/.exec(asking.stderr);
  const samples = [];
  const start = performance.now();
  let isDone = false;
  asking.done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const [open, next] = await Promise.all([redis.hlen(`fcn:run:${id}:open`), redis.hget(`fcn:run:${id}`, "next")]);
    samples.push({
      open,
      done: Number(next) - open,
      redis: (await memoryOf(redis)) - before,
      ...processOf(worker.child.pid),
    });
    await sleep(1000);
  }
  await asking.done;
  const seconds = (performance.now() - start) / 1000;
  const { images } = JSON.parse(asking.stdout);
  await endWorker(worker);
  // Warm, and before the end.
  const middle = samples.filter(({ done }) => done > jobs / 10 && done < 0.95 * jobs);
  const [first, last] = [middle[0], middle.at(-1)];
  const tenth = (list, of) => median(list.map(of));
  const [early, late] = [middle.slice(0, Math.ceil(middle.length / 4)), middle.slice(-Math.ceil(middle.length / 4))];
  const perOpen = middle.filter(({ open }) => open > 100).map(({ redis: bytes, open }) => bytes / open);
  const aloneRun = run([...given, "--out", join(root, "alone"), "--json"]);
  const aloneSamples = [];
  let aloneDone = false;
  aloneRun.done.finally(() => {
    aloneDone = true;
  });
  while (!aloneDone) {
    const made = (await readdir(join(root, "alone")).catch(() => [])).length;
    if (aloneRun.child.exitCode === null) aloneSamples.push({ made, ...processOf(aloneRun.child.pid) });
    await sleep(500);
  }
  await aloneRun.done;
  const aloneMiddle = aloneSamples.filter(({ made }) => made > jobs / 10 && made < 0.9 * jobs);
  const [a, b] = [aloneMiddle[0], aloneMiddle.at(-1)];
  return {
    jobs,
    images,
    perSecond: jobs / seconds,
    hostMs: (1000 * (last.seconds - first.seconds)) / (last.done - first.done),
    aloneMs: a && b && b.made > a.made ? (1000 * (b.seconds - a.seconds)) / (b.made - a.made) : Number.NaN,
    open: tenth(middle, ({ open }) => open),
    bytesPerOpen: median(perOpen.length > 0 ? perOpen : [Number.NaN]),
    redis: [tenth(early, (s) => s.redis) / MIB, tenth(late, (s) => s.redis) / MIB],
    worker: [tenth(early, (s) => s.bytes) / MIB, tenth(late, (s) => s.bytes) / MIB],
  };
}

/** Kills a worker at random times, starts another, and counts results. */
async function randomKills({ address, root, kills, images }) {
  const out = join(root, "killed");
  const flags = ["--patience", "2"];
  const workers = [await startWorker(address, root, ...flags), await startWorker(address, root, ...flags)];
  const given = ["predict", join(root, "victims"), "--weights", join(root, "small.safetensors"), "--save", "labels"];
  const asking = run([...given, "--out", out, "--queue", address, "--chunk", "1", "--json"]);
  let done = 0;
  let isOver = false;
  asking.done.finally(() => {
    isOver = true;
  });
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  while (done < kills && !isOver) {
    // A worker that is killed in its first moments has the chunk again that the last one died with.
    await sleep(1500 + 1500 * random());
    const at = Math.floor(random() * workers.length);
    await endWorker(workers[at], "SIGKILL");
    done++;
    workers[at] = await startWorker(address, root, ...flags);
  }
  // An image that is put aside is counted, and fails the command.
  await asking.done.catch(() => {});
  const { reports } = JSON.parse(asking.stdout);
  for (const worker of workers) await endWorker(worker);
  const names = new Set(reports.map(({ input }) => input));
  const files = (await readdir(out)).filter((name) => name.endsWith(".png"));
  const failed = reports.filter(({ error }) => error).length;
  return {
    kills: done,
    images,
    results: names.size,
    doubled: reports.length - names.size,
    files: files.length,
    failed,
  };
}

const HEADER = ["what", "value", ""];

function rowsOf({ speed, many, killed }) {
  const pair = ([from, to]) => `${digits(from)} / ${digits(to)}`;
  return [
    ["images/s, `fcn predict` alone", digits(speed.alone), ""],
    ["images/s, one worker", digits(speed.one), `${digits(speed.one / speed.alone)} of alone`],
    ["images/s, two workers on this machine", digits(speed.two), `${digits(speed.two / speed.alone)} of alone`],
    ["jobs of one tiny image, with a net of one layer", String(many.jobs), `${digits(many.perSecond)} a second`],
    ["processor time an image of such a job, ms", digits(many.hostMs), `alone ${digits(many.aloneMs)}`],
    [
      "of it for the queue, of a chunk of ten seconds, ms an image",
      digits((many.hostMs - many.aloneMs) / (10 * speed.one)),
      "at the images/s of one worker",
    ],
    ["jobs that wait or are at work at a time", digits(many.open), ""],
    ["bytes of the server a job in flight", digits(many.bytesPerOpen), ""],
    ["MiB of the server in the first and last quarter", pair(many.redis), "above an empty one"],
    ["MiB of the worker in the first and last quarter", pair(many.worker), ""],
    ["workers killed at random", String(killed.kills), `${killed.images} images, a job each`],
    ["results, doubled, failed, files", [killed.results, killed.doubled, killed.failed, killed.files].join(", "), ""],
  ];
}

export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  const [images, repeats, jobs, kills] = [values.images, values.repeats, values.jobs, values.kills].map(Number);
  const root = await mkdtemp(join(tmpdir(), "fcn-bench-queue-"));
  const server = await startServer(values.server, root);
  try {
    const adapter = await makeWeights(root);
    const size = values.size.split("x").map(Number);
    await makeImages(join(root, "images"), images, size);
    const shared = { ...server, root, images };
    const speed = await speeds({ ...shared, repeats });
    console.error("images per second:", speed);
    const many = await manyJobs({ ...shared, jobs });
    console.error("jobs:", many);
    // So many that none of the kills comes too late.
    const victims = 40 * kills;
    await makeImages(join(root, "victims"), victims, size);
    const killed = await randomKills({ ...shared, kills, images: victims });
    const record = { adapter, server: values.server, size: values.size, speed, many, killed };
    const rows = rowsOf(record);
    console.log(textTable(HEADER, rows));
    const isDefault = Object.entries(OPTIONS).every(([name, { default: usual }]) => values[name] === usual);
    const head = [`adapter: ${adapter.description}`, `server: ${values.server}`, `images: ${values.size}, fcn8s-small`];
    const text = markdownReport("A queue", "npm run bench -- queue", head, [markdownTable(HEADER, rows)]);
    if (isDefault) await writeReport(record, text, { kind: "queue" });
  } finally {
    server.redis.disconnect();
    server.child.kill();
    await once(server.child, "close");
    await rm(root, { recursive: true, force: true });
  }
}
