import { type ErrorCode, TensorError } from "@fcn/tensor";
import { fileError } from "../files/errors.js";

/**
 * A part of an annotation file that is left out of the label map. A problem is a shape whose pixels are lost and would
 * count as background; a warning is a shape that has no pixels anyway.
 */
export type SkippedPart = PartProblem | PartWarning;

export interface PartWords {
  /** Which part is affected, and what is wrong with it. */
  readonly problem: string;
  readonly fix: string;
}

export interface PartProblem extends PartWords {
  readonly level: "problem";
  readonly code: ErrorCode;
}

export interface PartWarning extends PartWords {
  readonly level: "warning";
  readonly code: string;
}

export interface PaintSize {
  readonly height: number;
  readonly width: number;
}

const MEND = "correct or remove the shape";

/** A shape that cannot be drawn. */
export function badShape(problem: string, fix = MEND, code: ErrorCode = "bad-shape"): PartProblem {
  return { level: "problem", code, problem, fix };
}

/** A shape without a single pixel. */
export function emptyShape(problem: string, fix = MEND): PartWarning {
  return { level: "warning", code: "empty-shape", problem, fix };
}

/** The skipped part that an error names at the start of its message, in place of a file. */
export function partOfError(error: unknown): SkippedPart {
  if (!(error instanceof TensorError)) throw error;
  return badShape(error.message, error.fix);
}

/** The error for the first skipped part whose pixels are missing from the label map, or undefined if there is none. */
export function partProblem(file: string, skipped?: readonly SkippedPart[]): TensorError | undefined {
  const part = skipped?.find((found): found is PartProblem => found.level === "problem");
  return part && fileError(part.code, file, part.problem, part.fix);
}
