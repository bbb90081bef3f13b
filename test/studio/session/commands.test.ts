import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addClass,
  addImages,
  addStroke,
  clearStrokes,
  MOST_CLASSES,
  moveClass,
  newId,
  newSession,
  recolourClass,
  removeClass,
  removeImage,
  removeStroke,
  renameClass,
  renameImage,
} from "../../../studio/src/session/commands.js";
import { StudioError } from "../../../studio/src/session/errors.js";
import type { Session } from "../../../studio/src/session/types.js";
import { propertySeed } from "../../support/property.js";
import { blank, deeds, line, painted } from "./sessions.js";

const names = ({ classes }: Session): string[] => classes.map(({ name }) => name);

/** The StudioError that a call throws. */
function refusal(call: () => unknown): StudioError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(StudioError);
    return error as StudioError;
  }
  throw new Error("nothing was refused");
}

/** Freezes a session through and through, so that changing it in place throws. */
function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

describe("commands", () => {
  it("begin with two classes of two colours and no image", () => {
    const { classes, images } = newSession();
    expect(names(newSession())).toEqual(["background", "object"]);
    expect(images).toEqual([]);
    expect(classes[0]!.colour).not.toEqual(classes[1]!.colour);
  });

  it("never change a session in place, and keep ids, names and colours apart, whatever is done", () => {
    fc.assert(
      fc.property(deeds, (list) => {
        let session = freeze(newSession());
        for (const deed of list) {
          session = freeze(deed(session));
          const { classes, images } = session;
          const strokes = images.flatMap((image) => image.strokes);
          const unique: unknown[][] = [
            classes.map(({ name }) => name),
            classes.map(({ colour }) => String(colour)),
            images.map(({ name }) => name.replace(/\..*/, "")),
            strokes.map(({ order }) => order),
            [...classes, ...images, ...strokes].map(({ id }) => id),
          ];
          for (const all of unique) expect(new Set(all).size).toBe(all.length);
          const ids = new Set([null, ...classes.map(({ id }) => id)]);
          expect(strokes.every(({ classId }) => ids.has(classId))).toBe(true);
        }
      }),
      { seed: propertySeed(), numRuns: 200 },
    );
  });

  it("names new classes by number, and refuse names that are empty or taken", () => {
    const session = addClass(addClass(newSession(), "class 3"));
    expect(names(session)).toEqual(["background", "object", "class 3", "class 4"]);
    const first = session.classes[0]!.id;
    expect(names(renameClass(session, first, " sky "))[0]).toBe("sky");
    expect(names(renameClass(session, first, "background"))[0]).toBe("background");
    for (const name of ["", "  ", "object", " object"]) {
      expect(refusal(() => renameClass(session, first, name)).code).toBe("invalid-class");
    }
    expect(refusal(() => addClass(session, "object")).message).toBe('Another class is called "object" already.');
  });

  it("refuse colours that masks could not tell apart", () => {
    const session = newSession();
    const [first, second] = session.classes;
    expect(recolourClass(session, first!.id, [1, 2, 3]).classes[0]!.colour).toEqual([1, 2, 3]);
    expect(recolourClass(session, first!.id, first!.colour)).toEqual(session);
    for (const colour of [second!.colour, [224, 224, 192], [0, 0, 256], [0.5, 0, 0]] as const) {
      expect(refusal(() => recolourClass(session, first!.id, colour)).code).toBe("invalid-class");
    }
  });

  it("take 254 classes and no more", () => {
    let session = newSession();
    while (session.classes.length < MOST_CLASSES) session = addClass(session);
    expect(refusal(() => addClass(session)).message).toContain("254 at most");
  });

  it("remove a class with its strokes on all images, but not the last class", () => {
    const dot = line([[1, 1]], 2);
    const session = painted(8, 8, [
      [0, dot],
      [1, dot],
      [null, dot],
    ]);
    const [first, second] = session.classes;
    const left = removeClass(session, first!.id);
    expect(left.images[0]!.strokes.map(({ classId }) => classId)).toEqual([second!.id, null]);
    expect(refusal(() => removeClass(left, second!.id)).message).toBe('"object" is the only class.');
    const unpainted = addClass(session);
    expect(removeClass(unpainted, unpainted.classes[2]!.id).images[0]).toBe(session.images[0]);
  });

  it("move a class to a place, at most to the end", () => {
    const session = addClass(newSession(), "third");
    const third = session.classes[2]!.id;
    expect(names(moveClass(session, third, 0))).toEqual(["third", "background", "object"]);
    expect(names(moveClass(session, third, 1))).toEqual(["background", "third", "object"]);
    expect(moveClass(session, third, 9)).toBe(session);
  });

  it("give images names that are one to each, whatever their extension and case", () => {
    const images = ["cat.jpg", "CAT.png", "cat-2.jpg", "../a b?.png", ".hidden", "grey.v2.png", "grey.v2.jpg"];
    const session = addImages(
      newSession(),
      images.map((name) => blank(2, 3, name)),
    );
    expect(session.images.map(({ name }) => name)).toEqual([
      "cat.jpg",
      "CAT-2.png",
      "cat-2-2.jpg",
      "a-b-.png",
      "hidden",
      "grey.v2.png",
      "grey.v2-2.jpg",
    ]);
    expect(addImages(session, [])).toBe(session);
    expect(removeImage(session, session.images[0]!.id).images).toHaveLength(6);
  });

  it("rename an image, with a number where the name is taken", () => {
    const [one, two] = [blank(8, 8, "a.png"), blank(8, 8, "b.png")];
    const session = addImages(newSession(), [one, two]);
    expect(renameImage(session, two.id, " c.png ").images.map(({ name }) => name)).toEqual(["a.png", "c.png"]);
    expect(renameImage(session, two.id, "A.jpg").images[1]!.name).toBe("A-2.jpg");
    expect(renameImage(session, two.id, "b.png")).toBe(session);
    expect(renameImage(session, two.id, " ").images[1]!.name).toBe("image");
  });

  it("add, remove and clear strokes of one image, and leave the others as they are", () => {
    const dot = line([[1, 1]], 2);
    const [one, two] = [blank(8, 8, "a.png"), blank(8, 8, "b.png")];
    const session = addImages(newSession(), [one, two]);
    const classId = session.classes[1]!.id;
    const ids = [newId(), newId()] as const;
    const added = ids.reduce((now, id) => addStroke(now, one.id, { id, classId, shape: dot }), session);
    expect(added.images[0]!.strokes.map(({ id, order }) => [id, order])).toEqual([
      [ids[0], 1],
      [ids[1], 2],
    ]);
    expect(added.images[1]).toBe(session.images[1]);
    expect(removeStroke(added, one.id, ids[0]).images[0]!.strokes.map(({ id }) => id)).toEqual([ids[1]]);
    expect(clearStrokes(added, one.id).images[0]!.strokes).toEqual([]);
    expect(clearStrokes(added, two.id)).toBe(added);
  });

  it("say what a session does not have", () => {
    const session = painted(8, 8, []);
    const stroke = { id: newId(), classId: "nobody", shape: line([[1, 1]], 2) };
    for (const call of [
      () => addStroke(session, session.images[0]!.id, stroke),
      () => addStroke(session, "nobody", { ...stroke, classId: null }),
      () => removeStroke(session, session.images[0]!.id, "nobody"),
      () => clearStrokes(session, "nobody"),
      () => removeImage(session, "nobody"),
      () => renameClass(session, "nobody", "name"),
      () => moveClass(session, "nobody", 0),
    ]) {
      const { code, message } = refusal(call);
      expect(code).toBe("unknown-item");
      expect(message).toMatch(/^The session has no (class|image|stroke) "nobody"\.$/);
    }
  });
});
