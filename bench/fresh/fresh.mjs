/**
 * First predictions and peak memory, in processes that begin with nothing: the drivers' shader cache, which Mesa keeps
 * in a folder, is empty or filled. Dawn for Node keeps none of its own.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generator, integers } from "../lib/random.mjs";
import { PEERS } from "../sides/index.mjs";
import { CLASSES, HEIGHT, makeImage, WIDTH } from "./image.mjs";

const NET = "d2l-resnet18";
const RUNS = 3;
const TOLERANCE = 1e-3;
const CHILD = fileURLToPath(new URL("./child.mjs", import.meta.url));
const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** The net in both formats, in `folder`. */
async function writeNets({ fcn, device }, folder) {
  const options = { numClasses: CLASSES, seed: 1 };
  const net = fcn.models.create(NET, device, options);
  net.eval();
  const files = { ours: join(folder, "net.safetensors"), onnx: join(folder, "net.onnx") };
  const classes = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);
  const palette = classes.map((_, i) => [i, i, i]);
  const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1] };
  await fcn.saveModel(files.ours, net, { model: NET, options, classes, palette, preprocessing });
  await fcn.exportOnnx(net, { path: files.onnx });
  net.dispose();
  return { ours: files.ours, onnx: files.onnx, onnxCpu: files.onnx };
}

async function runChild(args, cache) {
  await mkdir(cache, { recursive: true });
  const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache };
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, ...args], { env });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

function record(what, found) {
  const ours = found.ours[0].size;
  const sides = Object.entries(found).map(([name, runs]) => {
    const ms = runs.every((run) => run.ms) ? middle(runs.map((run) => run.ms)) : undefined;
    const agrees = runs.every(({ size }) => size === undefined || Math.abs(size - ours) <= TOLERANCE * ours);
    return [name, { ms, peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)), runs, agrees }];
  });
  return { what, sides: Object.fromEntries(sides) };
}

/** Sides in turn, so that drift of the machine falls on all of them alike. */
async function predictions(names, files, folder) {
  const found = { cold: {}, warm: {} };
  for (let i = 0; i < RUNS; i++) {
    for (const name of names) {
      const cache = join(folder, `cache-${name}-${i}`);
      for (const state of ["cold", "warm"]) {
        const run = await runChild([name, files[name]], cache);
        console.error(`${state} ${name}: ${Math.round(run.ms)} ms`);
        found[state][name] = [...(found[state][name] ?? []), run];
      }
    }
  }
  return [
    record(`first prediction of ${NET}, ${HEIGHT}x${WIDTH}, empty shader cache`, found.cold),
    record(`first prediction of ${NET}, ${HEIGHT}x${WIDTH}, filled shader cache`, found.warm),
  ];
}

/** Two training steps of PyTorch in a process of its own. */
async function trainTorch({ T, fcn, device }, folder) {
  const net = fcn.models.create(NET, device, { numClasses: CLASSES, seed: 1 });
  const labels = integers(generator(3), HEIGHT * WIDTH, CLASSES);
  const image = { ...makeImage(), dtype: "float32" };
  const label = { dtype: "int32", shape: [1, HEIGHT, WIDTH], data: labels };
  const file = join(folder, "torch.safetensors");
  await T.io.writeSafetensors(file, { ...net.stateDict(), image, label });
  net.dispose();
  const side = await PEERS.torch.open();
  try {
    await side.ask({ open: file });
    await side.ask({ step: true });
    return { peakBytes: (await side.ask({ step: true })).peakBytes };
  } finally {
    side.close();
  }
}

/**
 * @param {object} ours our side
 * @param {string[]} missing peers that cannot be opened
 * @returns {Promise<object[]>} for each work `{ what, sides }`, with median ms and peak bytes of each side
 */
export async function measureFresh(ours, missing) {
  const folder = await mkdtemp(join(tmpdir(), "fcn-bench-"));
  try {
    const files = await writeNets(ours, folder);
    const names = Object.keys(files).filter((name) => !missing.includes(name));
    const rows = await predictions(names, files, folder);
    const training = { ours: [await runChild(["train"], join(folder, "cache-train"))] };
    if (!missing.includes("torch")) training.torch = [await trainTorch(ours, folder)];
    return [...rows, record(`two training steps of ${NET}, batch 1, ${HEIGHT}x${WIDTH}`, training)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
