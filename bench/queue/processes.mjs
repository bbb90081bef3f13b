/** Servers, workers, images and nets for the bench of the queue. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { link, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";

const BIN = fileURLToPath(new URL("../../packages/fcn/bin/fcn.js", import.meta.url));
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

export async function startServer(program, folder) {
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
export async function memoryOf(redis) {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))[1]);
}

/** Bytes in memory, the most so far, and seconds of processor time of a process. */
export function processOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const bytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) * 1024;
  return {
    bytes: bytes("VmRSS"),
    mostBytes: bytes("VmHWM"),
    seconds: (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

/**
 * Starts the `fcn` command.
 * @param output a file for what it prints, where that may be long
 */
export function run(args, output) {
  const file = output === undefined ? "pipe" : openSync(output, "w");
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", file, "pipe"] });
  const told = { child, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name]?.on("data", (text) => (told[name] += text));
  told.done = once(child, "close").then(([code]) => {
    if (code === 0) return told;
    throw new Error(`fcn ${args.join(" ")} ended with ${code}: ${told.stderr}`);
  });
  told.done.catch(() => {});
  return told;
}

export async function startWorker(address, root, ...flags) {
  const worker = run(["worker", "--queue", address, "--root", root, ...flags]);
  while (!/ works for /.test(worker.stdout)) await sleep(20);
  return worker;
}

export async function endWorker({ child }, signal = "SIGTERM") {
  const ended = once(child, "close");
  child.kill(signal);
  await ended;
}

export async function makeImages(folder, count, [height, width]) {
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
export async function makeWeights(root) {
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
