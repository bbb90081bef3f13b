import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Abortable } from "../../../async/abort.js";
import { type TaskPool, type WorkerOptions, withPool } from "../../workers/pool.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import type { ClassEntry } from "../classes.js";
import { areRgb } from "./mixedKinds.js";

/**
 * Surveys as many masks as it takes to understand all of them, see `chooseRule`. That is usually every mask, since one
 * of another kind may change what the others mean. Fewer are needed in two cases:
 * - if classes have values, the first readable mask is enough;
 * - if classes have colours and all masks are stored as RGB, the survey ends at the first mask that shows a colour.
 *
 * An unreadable mask does not prevent the others from being understood: it fails when loaded, and in the check. Throws
 * the error of the first mask if none can be read.
 */
export async function lookAtMasks(
  files: readonly string[],
  entries: readonly ClassEntry[] | undefined,
  options: WorkerOptions & Abortable,
): Promise<MaskSurvey[]> {
  if (entries?.some(({ value }) => value !== undefined)) return untilOne(files, () => true, options);
  const hasColours = entries?.some(({ colour }) => colour !== undefined) ?? false;
  if (hasColours && (await areRgb(files)).every(Boolean))
    return untilOne(files, ({ kind }) => kind === "colour", options);
  return withPool(options, files.length, async (pool) =>
    readOnly(await Promise.all(files.map((file) => survey(pool, file)))),
  );
}

/** Surveys masks up to the first that is sufficient. */
function untilOne(
  files: readonly string[],
  isEnough: (survey: MaskSurvey) => boolean,
  options: Abortable,
): Promise<MaskSurvey[]> {
  return withPool({ ...options, workers: 0 }, files.length, async (pool) => {
    const surveys: (MaskSurvey | TensorError)[] = [];
    for (const file of files) {
      options.signal?.throwIfAborted();
      const found = await survey(pool, file);
      surveys.push(found);
      if (!(found instanceof Error) && isEnough(found)) break;
    }
    return readOnly(surveys);
  });
}

const survey = (pool: TaskPool, file: string): Promise<MaskSurvey | TensorError> =>
  pool.run("survey", file).catch((error: TensorError) => error);

function readOnly(surveys: readonly (MaskSurvey | TensorError)[]): MaskSurvey[] {
  const read = surveys.filter((found): found is MaskSurvey => !(found instanceof Error));
  if (read.length === 0) throw noneRead(surveys as TensorError[]);
  return read;
}

function noneRead([first, ...others]: readonly TensorError[]): TensorError {
  if (first === undefined)
    return new TensorError({ code: "missing-data", message: "there is no mask", fix: "add one" });
  if (others.length === 0) return first;
  return reworded(first, { message: `${first.message}; none of the ${others.length + 1} masks can be read` });
}
