import { TensorError } from "@fcn/tensor";
import { fnv1a } from "../../encoding/fnv1a.js";
import { ratesOf } from "../optimizer/schedules.js";
import { bothWays } from "../remedies.js";
import type { ResolvedOptions } from "../settings/trainOptions.js";

/**
 * Everything that decides the course of a run, by name, as plain data. A run continues only from a checkpoint with the
 * same configuration.
 */
export type Configuration = Readonly<Record<string, unknown>>;

/** The number of names and their 32-bit hash (FNV-1a), which is enough to notice that a list has changed. */
export function countAndHash(names: readonly string[]): string {
  return `${names.length} (${fnv1a(new TextEncoder().encode(names.join("\n"))).toString(16)})`;
}

/** Weights files are the same if their bytes are. */
function identity(name: string, value: unknown): string | undefined {
  const hash = name === "weights" ? (value as { readonly sha256?: string } | undefined)?.sha256 : undefined;
  return hash ?? JSON.stringify(value);
}

/**
 * Throws `checkpoint-mismatch`, with the differences, unless a run may continue from the checkpoint `file` of `step`.
 * The run may be longer than before.
 */
export function checkConfiguration(
  file: string,
  saved: Configuration,
  { wanted, step }: { readonly wanted: Configuration; readonly step: number },
): void {
  const steps = wanted.steps as number;
  if (steps < step) throw tooShort(file, step, steps);
  const isLonger = steps > (saved.steps as number);
  const names = [...new Set([...Object.keys(saved), ...Object.keys(wanted)])];
  const text = (value: unknown): string => {
    const json = JSON.stringify(value) ?? "none";
    return json.length > 60 ? `${json.slice(0, 60)}...` : json;
  };
  const changed = names.filter((name) => {
    return !(isLonger && name === "steps") && identity(name, saved[name]) !== identity(name, wanted[name]);
  });
  if (changed.length === 0) return;
  const fix = changed.includes("leftOut")
    ? "the images that cannot be used have changed since the run was started: restore the files, or train into another folder"
    : "resume with the options that the run was started with (only steps or epochs may be larger), or train into another folder";
  const list = changed.map((name) => `${name} was ${text(saved[name])} and is ${text(wanted[name])}`);
  throw new TensorError({
    code: "checkpoint-mismatch",
    message: `train: the checkpoint ${file} is of another run: ${list.join("; ")}`,
    fix,
  });
}

function tooShort(file: string, step: number, steps: number): TensorError {
  return new TensorError({
    code: "checkpoint-mismatch",
    message: `train: the run of the checkpoint ${file} has already made ${step} steps, but only ${steps} were asked for`,
    fix: bothWays((say) => {
      return `ask for more than ${step} steps (${say("steps or epochs", "--steps or --epochs")}), or train into another folder`;
    }),
  });
}

/** What changes if a run continues beyond its planned length; empty if it does not. */
export function tellLonger(
  { step, plannedSteps }: { readonly step: number; readonly plannedSteps: number },
  { schedule, steps, warmUp, learningRate }: ResolvedOptions,
): string[] {
  if (steps <= plannedSteps) return [];
  const lines = [`the run continues to step ${steps} instead of ${plannedSteps}`];
  const rates = (length: number) => ratesOf({ schedule, steps: length, warmUp, lastStep: step }, learningRate);
  const [now, before] = [rates(steps), rates(plannedSteps)];
  for (let next = step + 1; next <= steps; next++) {
    const [is, was] = [now.next().value as number, before.next().value as number];
    if (is === was) continue;
    const text = (rate: number): string => String(Number(rate.toPrecision(4)));
    lines.push(
      `the schedule ${schedule} depends on the length of the run: from here on, the learning rate is that of a run of ${steps} steps; at step ${next} it is ${text(is)} instead of ${text(was)}`,
    );
    break;
  }
  return lines;
}
