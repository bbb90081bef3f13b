import { type ErrorCode, type Fix, io, TensorError } from "@fcn/tensor";
import { invalidArgument, type LockOwner, nodeModule, reworded, withFileLock } from "@fcn/tensor/internal";
import { makeFolder } from "../../../files/write.js";
import { isRemote } from "../../../places/address.js";
import { bothWays } from "../../remedies.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import { checkpoints } from "./checkpoint.js";
import { RUN_FILES } from "./result.js";

const { readdir, realpath, rm, rmdir } = nodeModule("trainRun", "node:fs/promises");
const { dirname, join, relative, sep } = nodeModule("trainRun", "node:path");

const LOCK = "run.lock";

/**
 * Runs `use` while only this run may write into its folder. Makes the folder, and removes it again if nothing was
 * written. Throws `folder-in-use` at once if another live run holds it.
 */
export async function withRunFolder<T>(options: TrainRunOptions, use: () => Promise<T>): Promise<T> {
  const { out } = options;
  checkOut(out);
  const isNew = (await namesIn(out)) === undefined;
  await makeFolder("train", out);
  try {
    const lock = join(out, LOCK);
    return await withFileLock("train", lock, inUse(lock), async () => {
      await refuseOtherRun(options);
      return await use();
    });
  } catch (error) {
    throw await withRemedy(error, out);
  } finally {
    // Fails if the folder is not empty.
    if (isNew) await rmdir(out).catch(() => {});
  }
}

/** Throws `invalid-argument` for an address: a checkpoint is many files, and is read and written in place. */
export function checkOut(out: string): void {
  if (!isRemote(out)) return;
  throw invalidArgument(
    `train: ${out} is an address, and a run is written into a folder of this machine`,
    "name a folder, and copy it when the run has ended",
  );
}

/** Prepares the folder for the first file: removes what killed runs left behind, and the run to be replaced. */
export async function openFolder({ out, overwrite = false }: TrainRunOptions): Promise<void> {
  const folder = join(out, RUN_FILES.checkpoint);
  if (overwrite) {
    for (const name of Object.values(RUN_FILES)) await rm(join(out, name), { recursive: true, force: true });
  }
  await makeFolder("train", folder);
  for (const place of [out, folder]) await io.removeLeftovers(place);
}

const inUse =
  (lock: string) =>
  (owner: LockOwner | undefined): never => {
    const who = owner === undefined ? "" : ` (process ${owner.pid} on ${owner.host})`;
    throw new TensorError({
      code: "folder-in-use",
      message: `train: another run${who} writes into ${dirname(lock)}`,
      fix: `wait until it ends, or name another folder; if there is no such run, remove ${lock}`,
    });
  };

const namesIn = (folder: string): Promise<string[] | undefined> => readdir(folder).catch(() => undefined);

async function refuseOtherRun({ out, resume = false, overwrite = false, weights }: TrainRunOptions): Promise<void> {
  if (resume && overwrite) {
    throw invalidArgument(
      "train: resume and overwrite cannot be used together",
      "go on with the run (resume), or replace it (overwrite)",
    );
  }
  const hasCheckpoint = (await checkpoints(join(out, RUN_FILES.checkpoint))).length > 0;
  if (hasCheckpoint && resume) return;
  if (hasCheckpoint && !overwrite) throw runExists(`${out} holds the checkpoint of a run`, "go on with it");
  if (weights !== undefined) await refuseOwnStart(out, weights);
  const names = (await namesIn(out)) ?? [];
  const net = [RUN_FILES.best, RUN_FILES.last].find((name) => names.includes(name));
  // A run that ended before its first checkpoint may have left scored weights, but has no report yet.
  const isUnfinished = names.includes(RUN_FILES.checkpoint) && !names.includes(RUN_FILES.report);
  if (net === undefined || overwrite || (resume && isUnfinished)) return;
  throw runExists(
    `${out} holds a net, ${net}, and no checkpoint to go on from`,
    isUnfinished && "start that run again",
  );
}

function runExists(problem: string, resume: string | false): TensorError {
  return new TensorError({
    code: "run-exists",
    message: `train: ${problem}`,
    fix: bothWays((say) => {
      const first = resume === false ? "" : `${resume} (${say("resume: true", "--resume")}), `;
      return `${first}name another folder, or replace what is there (${say("overwrite: true", "--overwrite")})`;
    }),
  });
}

/** Throws if the run would overwrite the weights that it starts from. */
async function refuseOwnStart(out: string, weights: string): Promise<void> {
  const file = await realpath(weights).catch(() => undefined);
  if (file === undefined) return;
  const [first] = relative(await realpath(out), file).split(sep);
  if (!Object.values<string | undefined>(RUN_FILES).includes(first)) return;
  throw invalidArgument(
    `train: the run would overwrite ${weights}, the weights that it starts from`,
    bothWays((say) => `name another folder for the run (${say("out", "--out")}), or move the weights out of it`),
  );
}

/** Adds how to continue the run to the error of a full disk or a failed device. */
async function withRemedy(error: unknown, out: string): Promise<unknown> {
  if (!(error instanceof TensorError)) return error;
  const step = (await checkpoints(join(out, RUN_FILES.checkpoint))).at(-1);
  const state =
    step === undefined
      ? "it starts at the beginning, because there is no checkpoint yet"
      : `the checkpoint of step ${step} is whole`;
  const fix = REMEDIES[error.code]?.(state, step === undefined ? undefined : join(out, RUN_FILES.last));
  if (fix === undefined) return error;
  const message = error.message.startsWith("train: ") ? error.message : `train: ${error.message}`;
  return reworded(error, { message, fix });
}

/** Remedies that depend on the state of the run and its last weights. */
const REMEDIES: Partial<Record<ErrorCode, (state: string, weights: string | undefined) => Fix>> = {
  "disk-full": (state) =>
    bothWays((say) => `free some space on that disk and go on with ${say("resume: true", "--resume")}: ${state}`),
  "device-lost": (state) =>
    bothWays((say) => {
      const again = "run the same command again with --resume";
      return `${say("continue with resume: true, and with a new device if you passed one", again)}: ${state}`;
    }),
  "out-of-memory": (state, weights) =>
    bothWays((say) => {
      const start = say(`weights: "${weights}"`, `--weights ${weights}`);
      const elsewhere = weights === undefined ? "" : `, into another folder from ${start}`;
      const smaller = `a smaller ${say("batchSize", "--batch")} (${say("accumulationSteps", "--accumulation-steps")} makes up for it) or ${say("crop", "--crop")}`;
      return `train with ${smaller}${elsewhere}; or end other programs that use the GPU and go on with ${say("resume: true", "--resume")}: ${state}`;
    }),
};
