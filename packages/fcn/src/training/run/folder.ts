import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { type Remedy, reworded } from "../../data/errors.js";
import { type LockOwner, withFileLock } from "../../fileLock.js";
import { makeFolder } from "../../report/writeFile.js";
import { checkpoints } from "./checkpoint.js";
import type { TrainRunOptions } from "./options.js";
import { RUN_FILES } from "./result.js";

const { readdir, realpath, rm, rmdir } = nodeModule("trainRun", "node:fs/promises");
const { dirname, join, relative, sep } = nodeModule("trainRun", "node:path");

const LOCK = "run.lock";

/**
 * Runs `use` while this run alone writes into its folder, which is made, and which does not stay where nothing was written. Throws a TensorError,
 * "folder-in-use", at once where a run that lives holds it.
 */
export async function withRunFolder<T>(options: TrainRunOptions, use: () => Promise<T>): Promise<T> {
  const { out } = options;
  const isNew = (await namesIn(out)) === undefined;
  await makeFolder("train", out);
  try {
    const lock = join(out, LOCK);
    const refuse = (owner: LockOwner | undefined): never => {
      throw inUse(lock, owner);
    };
    return await withFileLock("train", lock, refuse, async () => {
      await refuseOtherRun(options);
      return await use();
    });
  } catch (error) {
    throw await withRemedy(error, out);
  } finally {
    // It fails where something is in there.
    if (isNew) await rmdir(out).catch(() => {});
  }
}

/** Makes the folder ready for the first file: without what killed runs left, and without the run that is to be replaced. */
export async function openFolder({ out, overwrite = false }: TrainRunOptions): Promise<void> {
  const folder = join(out, RUN_FILES.checkpoint);
  if (overwrite) {
    for (const name of Object.values(RUN_FILES)) await rm(join(out, name), { recursive: true, force: true });
  }
  await makeFolder("train", folder);
  for (const place of [out, folder]) await io.removeLeftovers(place);
}

function inUse(path: string, owner: LockOwner | undefined): TensorError {
  const who = owner === undefined ? "" : ` (process ${owner.pid} on ${owner.host})`;
  return new TensorError({
    code: "folder-in-use",
    message: `train: another run${who} writes into ${dirname(path)}`,
    fix: `wait for its end, or name another folder; if there is no such run, remove ${path}`,
  });
}

const namesIn = (folder: string): Promise<string[] | undefined> => readdir(folder).catch(() => undefined);

async function refuseOtherRun({ out, resume = false, overwrite = false, weights }: TrainRunOptions): Promise<void> {
  if (resume && overwrite) {
    throw new TensorError({
      code: "invalid-argument",
      message: "train: resume and overwrite exclude each other",
      fix: "go on with the run (resume), or replace it (overwrite)",
    });
  }
  const hasCheckpoint = (await checkpoints(join(out, RUN_FILES.checkpoint))).length > 0;
  if (hasCheckpoint && resume) return;
  if (hasCheckpoint && !overwrite) {
    const [code, command] = ["go on with it (resume: true)", "go on with it (--resume)"];
    throw runExists(`${out} holds the checkpoint of a run`, { code, command });
  }
  if (weights !== undefined) await refuseOwnStart(out, weights);
  const names = (await namesIn(out)) ?? [];
  const net = [RUN_FILES.best, RUN_FILES.last].find((name) => names.includes(name));
  // A run that ended before its first checkpoint may have left scored weights; it has no report yet.
  const isUnfinished = names.includes(RUN_FILES.checkpoint) && !names.includes(RUN_FILES.report);
  if (net === undefined || overwrite || (resume && isUnfinished)) return;
  const start = "start that run again";
  const again = isUnfinished ? { code: `${start} (resume: true)`, command: `${start} (--resume)` } : undefined;
  throw runExists(`${out} holds a net, ${net}, and no checkpoint to go on from`, again);
}

function runExists(problem: string, first: Remedy | undefined): TensorError {
  const fix = (own: string | undefined, flag: string): string =>
    `${own === undefined ? "" : `${own}, `}name another folder, or replace what is there (${flag})`;
  return new TensorError({
    code: "run-exists",
    message: `train: ${problem}`,
    fix: fix(first?.code, "overwrite: true"),
    commandFix: fix(first?.command, "--overwrite"),
  });
}

/** Throws where the run would write over the weights that it starts from. */
async function refuseOwnStart(out: string, weights: string): Promise<void> {
  const file = await realpath(weights).catch(() => undefined);
  if (file === undefined) return;
  const [first] = relative(await realpath(out), file).split(sep);
  if (!Object.values<string | undefined>(RUN_FILES).includes(first)) return;
  throw new TensorError({
    code: "invalid-argument",
    message: `train: the run would write over ${weights}, the weights that it starts from`,
    fix: "name another folder for the run (out), or move the weights out of it",
    commandFix: "name another folder for the run (--out), or move the weights out of it",
  });
}

/** The error of a full disk tells how the run goes on. */
async function withRemedy(error: unknown, out: string): Promise<unknown> {
  if (!(error instanceof TensorError) || error.code !== "disk-full") return error;
  const step = (await checkpoints(join(out, RUN_FILES.checkpoint))).at(-1);
  const state =
    step === undefined
      ? "it starts at the beginning, for there is no checkpoint yet"
      : `the checkpoint of step ${step} is whole`;
  const fix = (flag: string): string => `free some space on that disk and go on with ${flag}: ${state}`;
  return reworded(error, { fix: { code: fix("resume: true"), command: fix("--resume") } });
}
