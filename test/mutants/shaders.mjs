import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleTests } from "./bundle.mjs";
import { faultsOf } from "./shaders/plant.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUTFILE = `${ROOT}/out/mutants/shaders.mjs`;
/** Faults of a shader that are tried at most; which ones depends on its text alone. */
const SAMPLE = 12;
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

/**
 * Plants a sample of faults in WGSL files, one at a time, and runs the tests that use the kernel, the shortest first.
 */
export async function plantInShaders(files, { tests }) {
  await bundleTests({ root: ROOT, entry: "shaders/worker.ts", outfile: OUTFILE, tests });
  const worker = new Worker();
  const mutants = [];
  try {
    const survey = await worker.ask("survey", 10 * LIMIT_MS);
    if (!survey) throw new Error("the tests of the kernels do not run");
    let version = 0;
    for (const file of files) {
      const kernel = nameOf(file);
      const users = survey.filter(({ kernels }) => kernels.includes(kernel)).sort((a, b) => a.ms - b.ms);
      if (users.length === 0) console.error(`no test uses ${kernel}`);
      const source = readFileSync(join(ROOT, file), "utf8");
      for (const { line, column, from, to, source: faulty } of faultsOf(source, SAMPLE)) {
        const order = { kernel, source: faulty, version: version++, tests: users.map(({ test }) => test) };
        const { caught, invalid } = (await worker.ask(order)) ?? { caught: true, invalid: false };
        const text = source.split("\n")[line - 1].trim();
        mutants.push({ file, line: text, at: `${line}:${column}`, from: from.trim(), to: to.trim(), caught, invalid });
      }
      const own = mutants.filter((mutant) => mutant.file === file);
      console.log(`${kernel}: ${own.filter(({ caught }) => caught).length} of ${own.length}`);
    }
  } finally {
    worker.stop();
  }
  return mutants;
}
