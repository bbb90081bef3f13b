import { TensorError } from "@fcn/tensor";
import { expect } from "vitest";

/** Runs a reader on bad input and returns its one clear error; fails when there is none or another kind. */
export async function refusal(read: Promise<unknown>): Promise<TensorError> {
  const error = await read.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof TensorError)) throw new Error("expected a TensorError", { cause: error });
  expect(error.message.length).toBeLessThan(2000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text of a file must not reach the terminal raw
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(error.fix).toMatch(/\S/);
  return error;
}

/** Like {@link refusal}, but a result is as good: what a changed file still says. */
export async function readsOrRefuses(read: Promise<unknown>): Promise<void> {
  const outcome = await read.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) await refusal(Promise.reject(outcome));
}
