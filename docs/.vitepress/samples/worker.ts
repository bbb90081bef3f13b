/** Runs the samples of a page away from it: the page stays smooth, and Stop ends whatever runs. */
import type { Device } from "@fcn/tensor";
import { compile } from "./compile.js";
import { type Shown, show } from "./show.js";

/** What a worker is asked to run. Earlier samples run for what they define; the last one shows what it prints. */
export interface Asked {
  readonly samples: readonly string[];
}

export interface Failure {
  /** Of an error of the library. */
  readonly code?: string | undefined;
  readonly message: string;
  readonly fix?: string | undefined;
  /** The sample that failed. */
  readonly sample: number;
}

export type Answer = { readonly shown: Shown } | { readonly failed: Failure } | { readonly done: true };

const MODULES: Readonly<Record<string, () => Promise<object>>> = {
  "@fcn/core": () => import("@fcn/core"),
  "@fcn/tensor": () => import("@fcn/tensor"),
  "@fcn/tensor/chained": () => import("@fcn/tensor/chained"),
  "@fcn/tensor/nn": () => import("@fcn/tensor/nn"),
  "@fcn/tensor/optim": () => import("@fcn/tensor/optim"),
  "@fcn/tensor/io": () => import("@fcn/tensor/io"),
};

const send = (answer: Answer): void => postMessage(answer);

/** The modules that samples name, by their names. */
async function modulesOf(text: string): Promise<Map<string, object>> {
  const named = Object.keys(MODULES).filter((name) => text.includes(`"${name}"`) || text.includes(`'${name}'`));
  const loaded = await Promise.all(named.map(async (name) => [name, await MODULES[name]!()] as const));
  return new Map(loaded.map(([name, module]) => [name, { __esModule: true, ...module }]));
}

/** Has a device wait with its end until what was logged is read. */
function waitingFor(pending: readonly Promise<unknown>[], device: Device): Device {
  const destroy = device.destroy.bind(device);
  device.destroy = () => void Promise.allSettled(pending).then(destroy);
  return device;
}

function failureOf(error: unknown, sample: number): Failure {
  if (!(error instanceof Error)) return { message: String(error), sample };
  const { code, fix } = error as { code?: string; fix?: string };
  return { code: code ?? error.name, message: error.message, fix, sample };
}

async function run({ samples }: Asked): Promise<void> {
  let sample = 0;
  const pending: Promise<unknown>[] = [];
  let sent: Promise<unknown> = Promise.resolve();
  const log = (...values: unknown[]): void => {
    if (sample < samples.length - 1) return;
    const shown = show(values);
    pending.push(shown);
    sent = Promise.all([shown, sent]).then(([found]) => send({ shown: found }));
    sent.catch(() => {});
  };
  try {
    const modules = await modulesOf(samples.join("\n"));
    const tensors = modules.get("@fcn/tensor") as { createDevice(options?: object): Promise<Device> } | undefined;
    if (tensors) {
      const { createDevice } = tensors;
      tensors.createDevice = async (options) => waitingFor(pending, await createDevice(options));
    }
    const require = (name: string): object => {
      const module = modules.get(name);
      if (module) return module;
      throw new Error(`samples may import ${Object.keys(MODULES).join(", ")}, not "${name}"`);
    };
    const console = { log, info: log, warn: log, error: log };
    const value = await compile(samples)({ require, console, begin: (i) => (sample = i) });
    if (value !== undefined) log(value);
    await sent;
    send({ done: true });
  } catch (error) {
    await sent.catch(() => {});
    send({ failed: failureOf(error, sample) });
  }
}

addEventListener("message", ({ data }: MessageEvent<Asked>) => void run(data));
