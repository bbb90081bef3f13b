import { describe, expect, it } from "vitest";
import { merged } from "../../../studio/src/app/merge.js";
import { addClass, addImages, addStroke, newSession } from "../../../studio/src/session/commands.js";
import { heldBackOf } from "../../../studio/src/session/heldBack.js";
import type { Session } from "../../../studio/src/session/types.js";
import { blank } from "../session/sessions.js";

const line = { kind: "line", points: [[1, 1]], width: 2 } as const;

/** A session with one image and strokes of the classes at these places. */
function painted(id: string, places: readonly number[]): Session {
  const start = addImages(newSession(), [blank(8, 8, "same.png", id)]);
  return places.reduce((session, place, i) => {
    const classId = session.classes[place]?.id as string;
    return addStroke(session, id, { id: `${id}-${i}`, classId, shape: line });
  }, start);
}

describe("merged", () => {
  it("has the images of both under names of their own, and one class for each name", () => {
    const both = merged(painted("a", [0]), addClass(painted("b", [1]), "sky"));
    expect(both.images.map(({ name }) => name)).toEqual(["same.png", "same-2.png"]);
    expect(both.classes.map(({ name }) => name)).toEqual(["background", "object", "sky"]);
    expect(both.images[1]?.strokes[0]?.classId).toBe(both.classes[1]?.id);
    expect(new Set(both.classes.map(({ colour }) => colour.join())).size).toBe(3);
  });

  it("counts what is brought as painted later, so that the same strokes stay held back", () => {
    const session = painted("a", [0, 0, 0, 0]);
    const both = merged(session, painted("b", [0, 0]));
    expect([...heldBackOf(both)]).toEqual(["a-2", "b-1"]);
    expect(heldBackOf(session)).toEqual(new Set(["a-2"]));
  });
});
