import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Abortable } from "../../../async/abort.js";
import { type TaskPool, type WorkerOptions, withPool } from "../../workers/pool.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import type { ClassEntry } from "../classes.js";
import { areRgb } from "./mixedKinds.js";

/**
 * Looks at as many masks as it takes to know what all mean, see `chooseRule`: every one as a rule, since one of another
 * kind may change what the others say. Only the first that can be read where nothing is left to find out:
 * - classes have values;
 * - classes have colours and all masks are stored as RGB: then the first that shows a colour is the last that is looked
 * at.
 *
 * A mask that cannot be read does not keep the others from being understood: it fails when it is loaded, and in the
 * check. Throws the error of the first where none can be read.
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

/** The masks up to the first that is enough. */
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
