import { TensorError } from "@fcn/tensor";
import type { ToldError } from "../../data/files/errors.js";
import type { ImageReport } from "../../prediction/files/run.js";

/** What became of an image, in a line. */
export function describeImage(report: ImageReport): string {
  if ("error" in report)
    return `error: ${withName(report.input, report.error)}; ${report.error.commandFix ?? report.error.fix}`;
  const { input, height, width, classes, files } = report;
  const largest = [...classes].sort((a, b) => b.pixels - a.pixels).slice(0, 3);
  const shares = largest.map(({ class: name, share }) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  return `${input}, ${height}x${width} (height x width): ${shares} -> ${Object.values(files).join(", ")}`;
}

/** Adds the name of the file, unless the message already begins with it. */
const withName = (name: string, { message, file }: ToldError): string =>
  file === name ? message : `${name}: ${message}`;

/** Throws `images-failed` if any image failed. */
export function throwIfFailed(failed: number, all: number): void {
  if (failed === 0) return;
  throw new TensorError({
    code: "images-failed",
    message: `predict: ${failed} of ${all} ${all === 1 ? "image" : "images"} could not be predicted`,
    fix: "see the lines that begin with error above",
  });
}
