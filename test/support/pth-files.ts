import { io } from "@fcn/tensor";
import { expect } from "vitest";
import { storage, tensor, torchLegacy, torchZip } from "./pickle.js";
import { refusal } from "./refusals.js";

export const raw = (...values: number[]) => Uint8Array.from(values);
export const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
export const SIX = floats(0, 1, 2, 3, 4, 5);
export const weight = tensor(storage("0", 6), 0, [2, 3], [3, 1]);

/** Both formats around one pickle, with one storage of six floats. */
export const formats = (data: Uint8Array): [string, Uint8Array][] => [
  ["zip", torchZip(data, { 0: SIX })],
  ["legacy", torchLegacy(data, [["0", 6, SIX]])],
];

export async function expectRefused(data: Uint8Array, code: string, problem: RegExp): Promise<void> {
  for (const [, file] of formats(data)) {
    const error = await refusal(io.readPth(file));
    expect(error).toMatchObject({ code, message: expect.stringMatching(problem) });
  }
}
