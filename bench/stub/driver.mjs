/** Programs on stub GPUs: what they print. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import * as amd from "./amd.mjs";
import * as intel from "./intel.mjs";
import { INTEL, stubEnvironment } from "./shim.mjs";

/** The nets whose work is compiled and timed unless others are named. */
export const NETS = ["d2l-resnet18", "fcn8s-vgg16", "fcn8s-resnet50", "fcn16s-mobilenetv2"];

/**
 * Runs a program of this folder on the stub of `gpu`.
 * @returns {Promise<{ result: any, log: string }>} the JSON that it printed, and its standard error
 */
export async function runOnStub(gpu, program, args, environment = {}) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const env = { ...stubEnvironment(gpu), ...environment };
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, log] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} on ${gpu} ended with ${code}: ${log.slice(-2000)}`);
  return { result: JSON.parse(out), log };
}

/** What reads the words of the compiler of `gpu`, and its figures as cells of a table. */
export const vendorOf = (gpu) => (INTEL.includes(gpu) ? intel : amd);

/**
 * Runs a program that compiles pipelines between `@@begin KEY` and `@@end`, and reads what the compiler of `gpu` says
 * of them.
 */
export async function compileOnStub(gpu, program, args) {
  const { DEBUG, readLog } = vendorOf(gpu);
  const { result, log } = await runOnStub(gpu, program, args, DEBUG);
  return { ...result, pipelines: readLog(log, gpu) };
}

/**
 * What the compiler of `gpu` makes of the pipelines of a net, by key, and how often each is dispatched in a training
 * step and in a prediction, with features in `precision`.
 */
export const compile = (gpu, net, precision = "float32") => compileOnStub(gpu, "compile.mjs", [net, precision]);
