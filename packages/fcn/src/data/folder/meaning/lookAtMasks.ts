import { TensorError } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import type { Abortable } from "../../../async/abort.js";
import { unlessAway } from "../../files/errors.js";
import { type WorkerOptions, withPool } from "../../workers/pool.js";
import type { MaskSurvey } from "../../workers/surveyMasks.js";
import type { ClassEntry } from "../classes.js";

/**
 * Surveys as many masks as it takes to understand all of them, see `chooseRule`: the first that can be read if classes
 * have values or colours, and otherwise every mask.
 *
 * An unreadable mask does not prevent the others from being understood: it fails when loaded, and in the check. Throws
 * the error of the first mask if none can be read.
 */
export async function lookAtMasks(
  files: readonly string[],
  entries: readonly ClassEntry[] | undefined,
  options: WorkerOptions & Abortable,
): Promise<MaskSurvey[]> {
  const isListed = entries?.some(({ value, colour }) => value !== undefined || colour !== undefined) ?? false;
  return withPool(isListed ? { ...options, workers: 0 } : options, files.length, async (pool) => {
    const survey = (file: string): Promise<MaskSurvey | TensorError> =>
      pool.run("survey", file).catch((error: TensorError) => unlessAway(error)(error));
    const found: (MaskSurvey | TensorError)[] = [];
    for (let at = 0; isListed && at < files.length && !found.some(isRead); at++) {
      options.signal?.throwIfAborted();
      found.push(await survey(files[at] as string));
    }
    if (!isListed) found.push(...(await Promise.all(files.map(survey))));
    const read = found.filter(isRead);
    if (read.length === 0) throw noneRead(found as TensorError[]);
    return read;
  });
}

const isRead = (found: MaskSurvey | TensorError): found is MaskSurvey => !(found instanceof Error);

function noneRead([first, ...others]: readonly TensorError[]): TensorError {
  if (first === undefined)
    return new TensorError({ code: "missing-data", message: "there is no mask", fix: "add one" });
  if (others.length === 0) return first;
  return reworded(first, { message: `${first.message}; none of the ${others.length + 1} masks can be read` });
}
