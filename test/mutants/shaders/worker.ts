/**
 * Runs the tests of the kernels on faulty ones. The parent sends the text of a kernel with a fault, or without one to
 * learn which tests use which kernels, and gets back whether a test noticed.
 */
import type { Kernel } from "@fcn/kernels";
import fc from "fast-check";
import { files } from "test-files";
import { PipelineCache } from "../../../packages/tensor/src/device/pipelines.js";
import { collect, runTest, type Test, tests } from "../suite.js";

/** A failed property is a fault that was noticed; the smallest input that shows it is of no use here. */
fc.configureGlobal({ endOnFailure: true });

let used = new Set<string>();
let planted: { kernel: string; source: string; version: number } | undefined;

const { get, warm } = PipelineCache.prototype;
const chosen = (kernel: Kernel): Kernel => {
  used.add(kernel.name);
  if (kernel.name !== planted?.kernel) return kernel;
  return { name: `${kernel.name} ${planted.version}`, source: planted.source };
};
PipelineCache.prototype.get = function (kernel, constants) {
  return get.call(this, chosen(kernel), constants);
};
PipelineCache.prototype.warm = function (kernel, constants) {
  return warm.call(this, chosen(kernel), constants);
};

async function failureOf(test: Test): Promise<unknown> {
  try {
    await runTest(test);
    return undefined;
  } catch (error) {
    return error ?? new Error("failed");
  }
}

function isInvalid(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ((at as { code?: string }).code === "kernel-compile") return true;
  }
  return false;
}

/** Which tests use which kernels, and how long they take; those that fail or use none are left out. */
async function survey(): Promise<{ test: number; name: string; kernels: string[]; ms: number }[]> {
  const found = [];
  for (const [i, test] of tests.entries()) {
    used = new Set();
    const start = performance.now();
    const error = await failureOf(test);
    if (error) console.error(`left out: ${test.file} > ${test.name}: ${(error as Error).message.split("\n")[0]}`);
    else if (used.size > 0) found.push({ test: i, name: test.name, kernels: [...used], ms: performance.now() - start });
    process.send?.({ alive: i });
  }
  return found;
}

interface Order {
  readonly kernel: string;
  readonly source: string;
  readonly version: number;
  readonly tests: readonly number[];
}

async function judge({ tests: which, ...fault }: Order): Promise<{ caught: boolean; invalid: boolean; by?: string }> {
  planted = fault;
  for (const i of which) {
    const test = tests[i] as Test;
    const error = await failureOf(test);
    if (error) return { caught: true, invalid: isInvalid(error), by: test.name };
    process.send?.({ alive: i });
  }
  return { caught: false, invalid: false };
}

for (const [name, load] of Object.entries(files)) await collect(name, load);
process.on("message", (order: Order | "survey") => {
  const answer = order === "survey" ? survey() : judge(order);
  answer.then((result) => process.send?.({ result }));
});
process.send?.({ ready: true });
