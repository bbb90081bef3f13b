import { expect, it } from "vitest";
import { HeldBackScores } from "../../../studio/src/learn/heldBackScores.js";

const V = 255;

it("counts the pixels that are held back, of each image as it was seen last", () => {
  const scores = new HeldBackScores();
  expect(scores.total(2)).toBeUndefined();
  scores.set("a", Uint8Array.of(0, V, 1, 1), Uint8Array.of(1, 1, 1, 0));
  expect(scores.total(2)).toMatchObject({ accuracy: 1 / 3, pixels: 3 });
  scores.set("a", Uint8Array.of(0, V, 1, 1), Uint8Array.of(0, 0, 1, 0));
  scores.set("b", Uint8Array.of(V, 1), Uint8Array.of(0, 1));
  // Class 0: 1 of 2; class 1: 2 of 3.
  expect(scores.total(2)).toEqual({ accuracy: 3 / 4, meanIU: (1 / 2 + 2 / 3) / 2, pixels: 4 });
  scores.keep(new Set(["b"]));
  expect(scores.total(2)).toEqual({ accuracy: 1, meanIU: 1, pixels: 1 });
});
