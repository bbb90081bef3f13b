/** The fuzz run: each target in a process of its own, one after another. Options are in README.md of this folder. */
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TARGETS } from "./targets/index.js";

const WORKER = fileURLToPath(new URL("./worker.mjs", import.meta.url));
const OUT = "out/fuzz";
/** CPU time of one input, in milliseconds, at which it is taken for one that never ends. */
const BUSY = 10_000;
/** Milliseconds without a new input, busy or not. */
const SILENCE = 180_000;
/** A file system in memory: each input of some targets is a file. */
const SHARED = "/dev/shm";
/** A process that grows above this is ended. */
const MOST_RESIDENT = 1.5 * 2 ** 30;
const MOST_RESTARTS = 50;
const FLAGS = ["--disallow-code-generation-from-strings", "--expose-gc", "--max-old-space-size=400"];

interface Found {
  readonly kind: string;
  readonly text: string;
  readonly seed: number;
  /** Base64. */
  readonly data: string;
}
interface Summary {
  readonly name: string;
  runs: number;
  outcomes: number;
  blocks: number;
  seconds: number;
  readonly findings: string[];
}

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    runs: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "0" },
    input: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

/** Saves the input of a finding and says how to run it again. */
function save(name: string, { kind, text, seed, data }: Found): string {
  const bytes = Buffer.from(data, "base64");
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const folder = join(OUT, name);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind.replace(/\W+/g, "-")}-${seed}-${hash}`);
  writeFileSync(path, bytes);
  const told = `${name}: ${kind}: ${text}\n  again: npm run fuzz -- --target ${name} --input ${path}`;
  writeFileSync(`${path}.txt`, `${told}\n`);
  console.log(told.replace(/^(.{300}).*$/gm, "$1 ..."));
  return path;
}

function start(name: string, args: readonly string[], scratch: string): ChildProcess {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const env = { ...process.env, FCN_TUNING: "off", NODE_OPTIONS: "" };
  return fork(WORKER, [name, ...args], { execArgv: FLAGS, env, stdio: ["ignore", "inherit", "pipe", "ipc"] });
}

/** Resident bytes of a process; 0 where the system does not tell. */
function residentOf(pid: number | undefined): number {
  const path = `/proc/${pid}/statm`;
  return existsSync(path) ? Number(readFileSync(path, "utf8").split(" ")[1]) * 4096 : 0;
}

/** Milliseconds of CPU time that a process has had; 0 where the system does not tell. */
function cpuOf(pid: number | undefined): number {
  const path = `/proc/${pid}/stat`;
  // After the name, which may hold anything, come the fields from the third on; a tick is 10 ms.
  const fields = existsSync(path)
    ? readFileSync(path, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")
    : [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

/** The input that a process was at when it ended. */
function inputIn(state: string): { index: number; seed: number; data: string } | undefined {
  const bytes = existsSync(state) ? readFileSync(state) : Buffer.alloc(0);
  if (bytes.length < 12) return undefined;
  const [index, seed, length] = [0, 4, 8].map((at) => bytes.readInt32LE(at)) as [number, number, number];
  return { index, seed, data: bytes.subarray(12, 12 + length).toString("base64") };
}

/**
 * Runs a target from an input on; returns where to go on after one that ended the process, undefined when all are done.
 */
async function runFrom(
  summary: Summary,
  from: number,
  runs: number,
  seconds: number,
  base: string,
): Promise<number | undefined> {
  const { name } = summary;
  const [state, scratch] = [join(base, "state"), join(base, name)];
  rmSync(state, { force: true });
  const child = start(
    name,
    [String(values.seed), String(runs), String(from), String(seconds), state, scratch],
    scratch,
  );
  let errors = "";
  child.stderr?.on("data", (text) => {
    errors = (errors + text).slice(-2000);
  });
  let finished = false;
  let done = 0;
  child.on(
    "message",
    (message: { finding?: Found; progress?: { done: number }; end?: Omit<Summary, "name"> & { done: number } }) => {
      if (message.finding) summary.findings.push(save(name, message.finding));
      if (message.progress) done = message.progress.done;
      if (!message.end) return;
      finished = true;
      done = message.end.done;
      summary.outcomes = Math.max(summary.outcomes, message.end.outcomes);
      summary.blocks = Math.max(summary.blocks, message.end.blocks);
    },
  );
  let [last, since, busy, why] = [-1, Date.now(), 0, ""];
  const watchdog = setInterval(() => {
    const index = inputIn(state)?.index ?? -1;
    if (index !== last) [last, since, busy] = [index, Date.now(), cpuOf(child.pid)];
    if (residentOf(child.pid) > MOST_RESIDENT) why = "memory";
    else if (!finished && index >= 0 && (cpuOf(child.pid) - busy > BUSY || Date.now() - since > SILENCE)) why = "hang";
    if (why !== "") child.kill("SIGKILL");
  }, 250);
  const closed = new Promise<void>((end) => child.on("disconnect", end));
  const code = await new Promise<string>((end) => child.on("exit", (status, signal) => end(String(signal ?? status))));
  // Its last messages may come after its end.
  await closed;
  clearInterval(watchdog);
  const at = inputIn(state);
  summary.runs += finished || at === undefined ? done : at.index - from + 1;
  if (finished) return undefined;
  if (at === undefined || code === "3") throw new Error(`${name} failed (${code}): ${errors}`);
  const text =
    why === "hang"
      ? `no answer after ${Date.now() - since} ms`
      : `${why || "the process ended"} (${code}) ${errors.trim()}`;
  summary.findings.push(save(name, { kind: why || "death", text, seed: at.seed, data: at.data }));
  return at.index + 1;
}

async function runTarget(name: string, runs: number, seconds: number, base: string): Promise<Summary> {
  const summary: Summary = { name, runs: 0, outcomes: 0, blocks: 0, seconds: 0, findings: [] };
  const begin = Date.now();
  let from: number | undefined = 0;
  for (let starts = 0; from !== undefined && starts < MOST_RESTARTS; starts++) {
    from = await runFrom(summary, from, runs, seconds, base);
  }
  summary.seconds = (Date.now() - begin) / 1000;
  const rate = Math.round(summary.runs / summary.seconds);
  console.log(`${name}: ${summary.runs} inputs, ${summary.findings.length} findings, ${rate} a second`);
  return summary;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}

async function main(): Promise<void> {
  const unknown = values.target?.find((name) => !TARGETS.some((target) => target.name === name));
  if (unknown !== undefined || values.list) {
    if (unknown !== undefined) console.error(`there is no target ${unknown}; choose from:`);
    for (const { name, runs } of TARGETS) console.log(`${name.padEnd(20)} ${runs}`);
    process.exitCode = unknown === undefined ? 0 : 2;
    return;
  }
  const chosen = TARGETS.filter(({ name }) => values.target === undefined || values.target.includes(name));
  const base = mkdtempSync(join(existsSync(SHARED) ? SHARED : tmpdir(), "fcn-fuzz-"));
  try {
    if (values.input !== undefined) {
      const seed = /-(\d+)-[0-9a-f]{12}$/.exec(values.input)?.[1] ?? "0";
      const child = start(
        chosen[0]?.name ?? "",
        [values.seed, "0", "0", "0", "", join(base, "again"), values.input, seed],
        join(base, "again"),
      );
      child.stderr?.pipe(process.stderr);
      process.exitCode = await new Promise<number>((end) => child.on("exit", (status) => end(status ?? 1)));
      return;
    }
    const whole = chosen.reduce((sum, { runs }) => sum + runs, 0);
    const summaries: Summary[] = [];
    for (const { name, runs } of chosen) {
      const share = runs / whole;
      const wanted = Math.ceil(Number(values.runs) * share);
      summaries.push(await runTarget(name, wanted, Number(values.minutes) * 60 * share, base));
    }
    report(summaries);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function report(summaries: readonly Summary[]): void {
  const sum = (of: (summary: Summary) => number): number =>
    summaries.reduce((total, summary) => total + of(summary), 0);
  const row = (name: string, ...numbers: number[]): string[] => [name, ...numbers.map((n) => String(Math.round(n)))];
  const rows = summaries.map(({ name, runs, outcomes, blocks, findings, seconds }) =>
    row(name, runs, outcomes, blocks, findings.length, runs / seconds),
  );
  const total = row(
    "all",
    sum((s) => s.runs),
    sum((s) => s.outcomes),
    sum((s) => s.blocks),
    sum((s) => s.findings.length),
    sum((s) => s.runs) / sum((s) => s.seconds),
  );
  console.log(`\n${table([["target", "inputs", "outcomes", "blocks", "findings", "a second"], ...rows, total])}`);
  if (summaries.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
}

await main();
