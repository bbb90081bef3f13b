import { describe, expect, it } from "vitest";
import { addImages, addStroke, newSession, removeStroke } from "../../../studio/src/session/commands.js";
import { heldBackOf } from "../../../studio/src/session/heldBack.js";
import { blank, line } from "./sessions.js";

const shape = line([[1, 1]], 2);
const [a, b] = [blank(8, 8, "a.png"), blank(8, 8, "b.png")];
const empty = addImages(newSession(), [a, b]);
const [first, second] = empty.classes.map(({ id }) => id) as [string, string];

/** A session in which strokes were painted one after the other, on "a" or "b"; each id is its number. */
const inOrder = (...strokes: readonly (readonly [image: "a" | "b", classId: string | null])[]) =>
  strokes.reduce(
    (session, [image, classId], i) =>
      addStroke(session, image === "a" ? a.id : b.id, { id: String(i + 1), classId, shape }),
    empty,
  );

describe("heldBackOf", () => {
  it("holds back every third stroke of each class, in the order of painting over all images", () => {
    const session = inOrder(
      ["b", first],
      ["a", second],
      ["a", first],
      ["b", first],
      ["b", second],
      ["a", second],
      ["a", first],
      ["b", first],
      ["a", first],
    );
    expect(heldBackOf(session)).toEqual(new Set(["4", "6", "9"]));
  });

  it("keeps what it held back when later strokes go to another image", () => {
    const before = inOrder(["b", first], ["b", first], ["b", first], ["b", first]);
    const after = addStroke(before, a.id, { id: "late", classId: first, shape });
    expect(heldBackOf(before)).toEqual(new Set(["3"]));
    expect(heldBackOf(after)).toEqual(new Set(["3"]));
    // What is left of a class is trained on.
    expect(heldBackOf(removeStroke(removeStroke(before, b.id, "1"), b.id, "2")).size).toBe(0);
  });

  it("does not count erasers", () => {
    const session = inOrder(["a", first], ["a", null], ["a", null], ["a", first], ["a", null], ["a", first]);
    expect(heldBackOf(session)).toEqual(new Set(["6"]));
  });

  it("takes strokes without a number in the order of images and strokes", () => {
    const strokes = ["x", "y"].map((id) => ({ id, classId: first, shape }));
    const images = empty.images.map((image) => ({
      ...image,
      strokes: strokes.map((one) => ({ ...one, id: `${image.name} ${one.id}` })),
    }));
    expect(heldBackOf({ ...empty, images })).toEqual(new Set(["b.png x"]));
  });
});
