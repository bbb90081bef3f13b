import { describe, expect, it } from "vitest";
import { withClassesOf } from "../../../studio/src/app/weightClasses.js";
import { addClass, addImages, addStroke, newSession } from "../../../studio/src/session/commands.js";
import { blank } from "../session/sessions.js";

const line = { kind: "line", points: [[1, 1]], width: 2 } as const;

describe("withClassesOf", () => {
  it("has the net's classes in its order, and keeps those of the same name and those that are painted", () => {
    const start = addClass(addImages(newSession(), [blank(8, 8, "a.png", "a")]), "unused");
    const [background, object] = start.classes;
    const painted = addStroke(start, "a", { id: "s", classId: object?.id as string, shape: line });
    const next = withClassesOf(
      painted,
      ["sea", "background"],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    );
    expect(next.classes.map(({ name }) => name)).toEqual(["sea", "background", "object"]);
    expect(next.classes[1]).toEqual({ ...background, colour: [4, 5, 6] });
    expect(next.classes[2]).toEqual(object);
    expect(next.images).toBe(painted.images);
  });

  it("gives a class another colour where its own is taken or missing", () => {
    const start = newSession();
    const taken = [9, 9, 9] as const;
    const { classes } = withClassesOf(start, ["a", "b", "c"], [taken, taken]);
    expect(classes[0]?.colour).toEqual(taken);
    expect(new Set(classes.map(({ colour }) => colour.join())).size).toBe(3);
  });
});
