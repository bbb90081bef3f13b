import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addImages, newSession, removeImage } from "../../../studio/src/session/commands.js";
import { History } from "../../../studio/src/session/history.js";
import type { Session } from "../../../studio/src/session/types.js";
import { propertySeed } from "../../support/property.js";
import { blank, deeds } from "./sessions.js";

describe("History", () => {
  it("brings back each state, equal to what it was, by undo and by redo", () => {
    fc.assert(
      fc.property(deeds, (list) => {
        const history = new History(newSession());
        const copies: Session[] = [structuredClone(history.present)];
        for (const deed of list) {
          const before = history.present;
          if (history.do(deed(before)) !== before) copies.push(structuredClone(history.present));
        }
        for (const copy of [...copies].reverse()) {
          expect(history.present).toEqual(copy);
          history.undo();
        }
        expect(history.canUndo).toBe(false);
        for (const copy of copies) {
          expect(history.present).toEqual(copy);
          history.redo();
        }
        expect(history.canRedo).toBe(false);
        expect(history.present).toEqual(copies.at(-1));
      }),
      { seed: propertySeed(), numRuns: 100 },
    );
  });

  it("forgets what was undone once something else is done", () => {
    const [image, other] = [blank(4, 4), blank(5, 5)];
    const history = new History(newSession());
    const first = history.present;
    history.do(addImages(first, [image]));
    expect(history.undo()).toBe(first);
    expect(history.canRedo).toBe(true);
    history.do(addImages(first, [other]));
    expect(history.canRedo).toBe(false);
    expect(history.redo().images).toEqual([other]);
    expect(history.undo()).toBe(first);
    expect(history.undo()).toBe(first);
  });

  it("tells all images that may come back", () => {
    const [image, other] = [blank(4, 4), blank(5, 5)];
    const history = new History(newSession());
    history.do(addImages(history.present, [image]));
    history.do(removeImage(history.present, image.id));
    history.do(addImages(history.present, [other]));
    expect(history.present.images).toEqual([other]);
    expect(history.imageIds()).toEqual(new Set([image.id, other.id]));
  });

  it("takes no place for what it keeps: unchanged images are one object in all states", () => {
    const images = [blank(4, 4, "a.png"), blank(5, 5, "b.png")];
    const history = new History(addImages(newSession(), images));
    const before = history.present.images[1];
    history.do(removeImage(history.present, images[0]!.id));
    expect(history.present.images[0]).toBe(before);
  });
});
