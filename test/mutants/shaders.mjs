import { fork } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleTests } from "./bundle.mjs";
import { faultsOf } from "./shaders/plant.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUTFILE = `${ROOT}/out/mutants/shaders-${process.pid}.mjs`;
/** Faults of a shader that are tried at most; which ones depends on its text alone. */
const SAMPLE = 4;
/** Tests are tried on a fault, the shortest first, up to this many milliseconds of what they take without it. */
const BUDGET_MS = 20_000;
/** A test that takes longer on a faulty kernel, in milliseconds, waits for a loop without end. */
const LIMIT_MS = 20_000;

/** A process with the tests, which is ended and begun anew when it does not say for long that it goes on. */
class Worker {
  #child;

  async #started() {
    if (this.#child) return this.#child;
    this.#child = fork(OUTFILE, { cwd: ROOT, env: { ...process.env, FCN_TUNING: "off" } });
    await new Promise((resolve, reject) => {
      this.#child.once("message", resolve);
      this.#child.once("exit", (code) => reject(new Error(`the tests do not load: exit code ${code}`)));
    });
    this.#child.removeAllListeners("exit");
    return this.#child;
  }

  /** What the worker finds; undefined where it hangs or breaks. */
  async ask(order, limit = LIMIT_MS) {
    const child = await this.#started();
    return new Promise((resolve) => {
      let timer;
      const end = (result) => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (result === undefined) this.stop();
        resolve(result);
      };
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(end, limit);
      };
      child.on("message", (message) => ("result" in message ? end(message.result) : wait()));
      child.on("exit", () => end());
      child.send(order);
      wait();
    });
  }

  stop() {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

const nameOf = (file) => file.replace(/^packages\/kernels\/src\/(.*)\.wgsl$/, "$1");

/** The tests that use a kernel, the shortest first, as far as time allows. */
function usersOf(survey, kernel) {
  let spent = 0;
  return survey
    .filter(({ kernels }) => kernels.includes(kernel))
    .sort((a, b) => a.ms - b.ms)
    .filter(({ ms }, i) => {
      spent += ms;
      return i === 0 || spent <= BUDGET_MS;
    });
}

/**
 * What the tests find: a fault that hangs the worker is caught. Where a test fails without the fault too, an earlier
 * fault broke the device, and the tests run again on a new one.
 */
async function judge(worker, order) {
  let found = await worker.ask(order);
  if (found?.broken) {
    worker.stop();
    found = await worker.ask(order);
    if (found?.broken) worker.stop();
  }
  return found ?? { caught: true, invalid: false };
}

/**
 * Plants a sample of faults in WGSL files, one at a time, and runs the tests that use the kernel, the shortest first.
 */
export async function plantInShaders(files, { tests, slow }) {
  await bundleTests({ root: ROOT, entry: "shaders/worker.ts", outfile: OUTFILE, tests });
  const worker = new Worker();
  const mutants = [];
  try {
    const survey = await worker.ask({ slow }, 10 * LIMIT_MS);
    if (!survey) throw new Error("the tests of the kernels do not run");
    let version = 0;
    for (const file of files) {
      const kernel = nameOf(file);
      const users = usersOf(survey, kernel);
      if (users.length === 0) console.error(`no test uses ${kernel}`);
      const source = readFileSync(join(ROOT, file), "utf8");
      const { faults, all } = faultsOf(source, SAMPLE);
      for (const { line, column, from, to, source: faulty } of faults) {
        const order = { kernel, source: faulty, version: version++, tests: users.map(({ test }) => test) };
        const { caught, invalid } = await judge(worker, order);
        const text = source.split("\n")[line - 1].trim();
        const fault = { file, line: text, at: `${line}:${column}`, from: from.trim(), to: to.trim() };
        mutants.push({ ...fault, caught, invalid, sampledFrom: all });
      }
      const own = mutants.filter((mutant) => mutant.file === file);
      const caught = own.filter((mutant) => mutant.caught).length;
      console.log(`${kernel}: ${caught} of ${own.length} caught, sampled from ${all}`);
    }
  } finally {
    worker.stop();
    rmSync(OUTFILE, { force: true });
  }
  return mutants;
}
