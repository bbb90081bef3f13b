/**
 * Runs the tests of the kernels on faulty ones. The parent sends the text of a kernel with a fault, or without one to
 * learn which tests use which kernels, and gets back whether a test noticed.
 */
import fc from "fast-check";
import { files } from "test-files";
import { PipelineCache, type Specialized } from "../../../packages/tensor/src/device/pipelines.js";
import { collect, runTest, type Test, tests } from "../suite.js";

/** A failed property is a fault that was noticed; the smallest input that shows it is of no use here. */
fc.configureGlobal({ endOnFailure: true });

let used = new Set<string>();
let planted: { kernel: string; source: string; version: number } | undefined;

const { get, warm } = PipelineCache.prototype;
const chosen = (step: Specialized): Specialized => {
  const { kernel } = step;
  used.add(kernel.name);
  if (kernel.name !== planted?.kernel) return step;
  return { ...step, kernel: { name: `${kernel.name} ${planted.version}`, source: planted.source } };
};
PipelineCache.prototype.get = function (step) {
  return get.call(this, chosen(step));
};
PipelineCache.prototype.warm = function (step) {
  return warm.call(this, chosen(step));
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

interface Survey {
  /** The tests whose name matches this are left out. */
  readonly slow?: string;
}

/** Which tests use which kernels, and how long they take; those that fail or use none are left out. */
async function survey({ slow }: Survey): Promise<{ test: number; name: string; kernels: string[]; ms: number }[]> {
  const found = [];
  for (const [i, test] of tests.entries()) {
    if (slow !== undefined && new RegExp(slow).test(test.name)) continue;
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

interface Verdict {
  readonly caught: boolean;
  readonly invalid: boolean;
  /** Whether the test that failed does so without the fault too. */
  readonly broken: boolean;
}

async function judge({ tests: which, ...fault }: Order): Promise<Verdict> {
  for (const i of which) {
    planted = fault;
    const error = await failureOf(tests[i] as Test);
    process.send?.({ alive: i });
    planted = undefined;
    if (error === undefined) continue;
    const invalid = isInvalid(error);
    return { caught: true, invalid, broken: !invalid && (await failureOf(tests[i] as Test)) !== undefined };
  }
  return { caught: false, invalid: false, broken: false };
}

for (const [name, load] of Object.entries(files)) await collect(name, load);
process.on("message", (order: Order | Survey) => {
  const answer = "kernel" in order ? judge(order) : survey(order);
  answer.then((result) => process.send?.({ result }));
});
process.send?.({ ready: true });
