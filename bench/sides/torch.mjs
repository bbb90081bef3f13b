/** PyTorch on the CPU as one side of the bench: a Python process of its own (pytorch.py), which takes its own time. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PYTHON } from "../lib/python.mjs";

const SCRIPT = fileURLToPath(new URL("./pytorch.py", import.meta.url));

/** @throws Error where Python, torch or torchvision is missing */
export async function openTorch() {
  const child = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
  const errors = [];
  child.on("error", ({ message }) => errors.push(message));
  child.stderr.on("data", (text) => errors.push(String(text)));
  child.stdin.on("error", () => {});
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`PyTorch: ${errors.join("").trim().split("\n").at(-1) ?? "the process ended"}`);
    return JSON.parse(value);
  };
  const { version } = await read();
  return {
    name: "PyTorch CPU",
    version,
    /** Sends a command and returns its answer. */
    ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return read();
    },
    /** The time that Python measured counts, not that of the pipe. */
    async run(step) {
      return { overriddenDuration: (await step()).ms };
    },
    async download(step) {
      return { loss: { shape: [], data: [(await step()).loss] } };
    },
    dispose() {},
    close() {
      child.kill();
    },
  };
}
