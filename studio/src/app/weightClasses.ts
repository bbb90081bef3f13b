import { freeColour } from "../session/colours.js";
import { newId } from "../session/commands.js";
import type { PaintClass, Session } from "../session/types.js";

/**
 * The session with the classes of a net, in the net's order. A class of the same name keeps its id, and so its strokes;
 * other classes that are painted follow after those of the net, so that nothing painted is lost.
 *
 * @param names the net's classes
 * @param palette their colours; a class without one, or with one that is taken, gets one that is free
 */
export function withClassesOf(
  session: Session,
  names: readonly string[],
  palette: readonly PaintClass["colour"][],
): Session {
  const painted = new Set(session.images.flatMap(({ strokes }) => strokes.map(({ classId }) => classId)));
  const others = session.classes.filter(({ id, name }) => painted.has(id) && !names.includes(name));
  const classes: PaintClass[] = [];
  const colour = (wanted: PaintClass["colour"] | undefined): PaintClass["colour"] => {
    const taken = [...classes, ...others].map((one) => one.colour);
    const isFree = wanted !== undefined && !taken.some((one) => one.join() === wanted.join());
    return isFree ? wanted : freeColour(taken);
  };
  for (const [i, name] of names.entries()) {
    const known = session.classes.find((one) => one.name === name);
    classes.push({ id: known?.id ?? newId(), name, colour: colour(palette[i]) });
  }
  return { ...session, classes: [...classes, ...others] };
}
