import { TensorError } from "@fcn/tensor";
import { StudioError } from "../session/errors.js";
import type { Note } from "./learner.js";

/** What a person is told about an error: one sentence, and what can be done. */
export function noteOf(error: unknown): Note {
  if (error instanceof TensorError)
    return ofDevice(error) ?? { code: error.code, message: sentence(error.message), fix: error.fix };
  if (error instanceof StudioError) return { code: error.code, message: error.message, fix: error.fix };
  return { code: "unexpected", message: error instanceof Error ? error.message : String(error) };
}

/** A message of the library without the name of the function at its beginning, which says nothing to a person. */
const sentence = (message: string): string => {
  const rest = message.replace(/^[\w.]+: /, "");
  return rest.charAt(0).toUpperCase() + rest.slice(1);
};

/** Errors of the device in the words of the page, where it has other remedies than code. */
function ofDevice(error: TensorError): Note | undefined {
  if (error.code === "out-of-memory") {
    return {
      code: error.code,
      message: "The memory of the GPU is full.",
      fix: "Choose a smaller work size, or close other pages that use the GPU.",
    };
  }
  if (error.code === "diverged") {
    return {
      code: error.code,
      message: "The loss of the net became infinite; training is off, and the net is as it was saved last.",
      fix: "Turn training on to go on from there, or reset the net.",
    };
  }
  return undefined;
}

/** What a call gets that needs a net while there is none. */
export const noNet = (): StudioError =>
  new StudioError("no-net", "There is no net yet: the page has no GPU, or is still loading.", "Wait a moment.");

/** What ends the attempts to go on without the GPU that was lost. */
export const lostTooOften = (times: number): StudioError =>
  new StudioError(
    "gpu-lost",
    `The browser took the GPU away ${times} times in a row.`,
    "Close other pages that use the GPU, choose a smaller work size, and reload the page; all is saved.",
  );

/** What is told of a class whose last stroke to learn from is gone. */
export const emptied = (name: string): Note => ({
  code: "class-emptied",
  message: `The class "${name}" has no stroke left to learn from, so that the net forgets it bit by bit.`,
  fix: "Paint one, or remove the class.",
});
