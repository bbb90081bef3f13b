import { freeColour, isSameColour } from "../session/colours.js";
import { addImages } from "../session/commands.js";
import type { PaintClass, Session } from "../session/types.js";

/**
 * A session with the images of another one after its own. Classes of the same name are one; others follow after those
 * that are there, in their colour if it is free. What is painted in the other one counts as painted later.
 */
export function merged(session: Session, other: Session): Session {
  const classes: PaintClass[] = [...session.classes];
  const ids = new Map<string, string>();
  for (const one of other.classes) {
    const known = classes.find(({ name }) => name === one.name);
    ids.set(one.id, known?.id ?? one.id);
    if (known !== undefined) continue;
    const colours = classes.map(({ colour }) => colour);
    const isTaken = colours.some((colour) => isSameColour(colour, one.colour));
    classes.push(isTaken ? { ...one, colour: freeColour(colours) } : one);
  }
  const orders = session.images.flatMap(({ strokes }) => strokes.map(({ order }) => order ?? 0));
  const last = orders.reduce((most, order) => Math.max(most, order), 0);
  const images = other.images.map((image) => ({
    ...image,
    strokes: image.strokes.map((stroke) => ({
      ...stroke,
      classId: stroke.classId === null ? null : (ids.get(stroke.classId) ?? stroke.classId),
      order: last + (stroke.order ?? 0),
    })),
  }));
  return addImages({ ...session, classes }, images);
}
