import fc from "fast-check";
import {
  addClass,
  addImages,
  addStroke,
  clearStrokes,
  moveClass,
  newId,
  newSession,
  removeClass,
  removeImage,
  removeStroke,
} from "../../../studio/src/session/commands.js";
import type { Area, Line, PaintedImage, Session, Stroke } from "../../../studio/src/session/types.js";

/** An image of a size with nothing on it. */
export const blank = (height: number, width: number, name = "image.png", id = newId()): PaintedImage => ({
  id,
  name,
  height,
  width,
  strokes: [],
});

export const line = (points: Line["points"], width: number): Line => ({ kind: "line", points, width });
export const area = (...rings: Area["rings"]): Area => ({ kind: "area", rings });

/** A session with one image of a size, and the strokes on it: by place in the list of classes, or null to erase. */
export function painted(
  height: number,
  width: number,
  strokes: readonly (readonly [label: number | null, shape: Stroke["shape"]])[],
): Session {
  const image = blank(height, width);
  let session = addImages(newSession(), [image]);
  for (const [label, shape] of strokes) {
    const classId = label === null ? null : (session.classes[label]?.id as string);
    session = addStroke(session, image.id, { id: newId(), classId, shape });
  }
  return session;
}

/** Shapes on and around an image of a size, at multiples of 1/32 of a pixel. */
export const shapes = (height: number, width: number): fc.Arbitrary<Line | Area> => {
  const coordinate = (size: number): fc.Arbitrary<number> =>
    fc.integer({ min: -10 * size, max: 42 * size }).map((value) => value / 32);
  const points = (least: number): fc.Arbitrary<[number, number][]> =>
    fc.array(fc.tuple(coordinate(width), coordinate(height)), { minLength: least, maxLength: 6 });
  const thickness = fc.integer({ min: 1, max: 8 * width }).map((value) => value / 16);
  return fc.oneof(
    fc.tuple(points(1), thickness).map(([list, thick]) => line(list, thick)),
    fc.array(points(3), { minLength: 1, maxLength: 3 }).map((rings) => area(...rings)),
  );
};

/** Sessions with one image of a size and up to eight strokes of two classes and erasers. */
export const paintings = (height: number, width: number): fc.Arbitrary<Session> =>
  fc
    .array(fc.tuple(fc.constantFrom(0, 1, null), shapes(height, width)), { maxLength: 8 })
    .map((strokes) => painted(height, width, strokes));

/** One thing that a person does; it does nothing where the session lacks what it needs. */
export type Deed = (session: Session) => Session;

/** Things that a person does, in random order. */
export const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc.tuple(fc.nat(8), fc.nat(), fc.nat()).map(
    ([kind, a, b]): Deed =>
      (session) => {
        const image = session.images[a % Math.max(1, session.images.length)];
        const one = session.classes[b % session.classes.length]!;
        if (kind === 0) return addClass(session);
        if (kind === 1) return session.classes.length > 1 ? removeClass(session, one.id) : session;
        if (kind === 2) return moveClass(session, one.id, a % session.classes.length);
        if (kind === 3 || image === undefined) return addImages(session, [blank(20, 30, `${a % 5}.png`)]);
        if (kind === 4) return removeImage(session, image.id);
        if (kind === 5) return clearStrokes(session, image.id);
        const stroke = image.strokes[b % Math.max(1, image.strokes.length)];
        if (kind === 6) return stroke ? removeStroke(session, image.id, stroke.id) : session;
        const classId = b % 4 === 0 ? null : one.id;
        return addStroke(session, image.id, { id: newId(), classId, shape: line([[a % 30, b % 20]], 1 + (a % 5)) });
      },
  ),
  { minLength: 1, maxLength: 40 },
);
