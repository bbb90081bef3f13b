import { isClassColour, isSameColour } from "./colours.js";
import { MOST_CLASSES } from "./commands.js";
import type { Area, Line, PaintClass, PaintedImage, Point, Session, Settings, Stroke } from "./types.js";

type Fields = Readonly<Record<string, unknown>>;

/** The longest side that is believed of an image. */
const LONGEST_SIDE = 2 ** 16;

/**
 * Takes a value that was read from a file or a store as a session.
 *
 * @throws Error whose message says what is wrong with it, to go on "because ..."
 */
export function checkedSession(value: unknown): Session {
  const { classes, images } = fields(value, "the session");
  const session = { classes: list(classes, "classes").map(paintClass), images: list(images, "images").map(image) };
  if (session.classes.length === 0 || session.classes.length > MOST_CLASSES) {
    throw new Error(`it has ${session.classes.length} classes, and 1 to ${MOST_CLASSES} are possible`);
  }
  const strokes = session.images.flatMap((one) => one.strokes);
  unique(
    [...session.classes, ...session.images, ...strokes].map(({ id }) => id),
    "have the id",
  );
  unique(
    session.classes.map(({ name }) => name),
    "are classes of the name",
  );
  session.classes.forEach(({ colour, name }, i) => {
    const twin = session.classes.findIndex((other) => isSameColour(other.colour, colour));
    if (twin < i) throw new Error(`the classes "${session.classes[twin]?.name}" and "${name}" have one colour`);
  });
  const ids = new Set<string | null>([null, ...session.classes.map(({ id }) => id)]);
  const stray = strokes.find(({ classId }) => !ids.has(classId));
  if (stray !== undefined) throw new Error(`a stroke has the class "${stray.classId}", which is not in the list`);
  return session;
}

/** Takes a value that was read as settings. Throws like {@link checkedSession}. */
export function checkedSettings(value: unknown): Settings {
  const { net, workSide, augment } = fields(value, "the list of settings");
  if (net !== "fcn8s-small" && net !== "fcn8s-mobilenetv2" && net !== "own") {
    throw new Error(`the net of its settings is ${JSON.stringify(net)}`);
  }
  if (typeof augment !== "boolean") throw new Error("its settings do not say whether to augment");
  return { net, workSide: number(workSide, "workSide", 1, LONGEST_SIDE), augment };
}

function paintClass(value: unknown): PaintClass {
  const { id, name, colour } = fields(value, "a class");
  const [r, g, b] = list(colour, "the colour of a class").map((level) => number(level, "a colour", 0, 255));
  const rgb = [r ?? Number.NaN, g ?? Number.NaN, b ?? Number.NaN] as const;
  if (!isClassColour(rgb)) throw new Error(`the colour of a class is ${JSON.stringify(colour)}`);
  return { id: text(id, "the id of a class"), name: text(name, "the name of a class"), colour: rgb };
}

function image(value: unknown): PaintedImage {
  const { id, name, height, width, strokes } = fields(value, "an image");
  return {
    id: text(id, "the id of an image"),
    name: text(name, "the name of an image"),
    height: number(height, "the height of an image", 1, LONGEST_SIDE),
    width: number(width, "the width of an image", 1, LONGEST_SIDE),
    strokes: list(strokes, "strokes").map(stroke),
  };
}

function stroke(value: unknown): Stroke {
  const { id, classId, shape, order } = fields(value, "a stroke");
  return {
    id: text(id, "the id of a stroke"),
    classId: classId === null ? null : text(classId, "the class of a stroke"),
    shape: lineOrArea(shape),
    ...(order === undefined ? {} : { order: number(order, "the order of a stroke", 0, Number.MAX_SAFE_INTEGER) }),
  };
}

function lineOrArea(value: unknown): Line | Area {
  const { kind, points, width, rings } = fields(value, "the shape of a stroke");
  if (kind === "area") return { kind, rings: list(rings, "rings").map((ring) => list(ring, "a ring").map(point)) };
  if (kind !== "line") throw new Error(`a stroke has a shape of the kind ${JSON.stringify(kind)}`);
  return { kind, points: list(points, "points").map(point), width: number(width, "the width of a line", 0) };
}

function point(value: unknown): Point {
  const [x, y] = list(value, "a point");
  return [number(x, "x"), number(y, "y")];
}

function fields(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${what} is missing`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`it has no list of ${what}`);
}

function text(value: unknown, what: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new Error(`${what} is ${JSON.stringify(value)}`);
}

function number(value: unknown, what: string, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new Error(`${what} is ${JSON.stringify(value)}`);
}

function unique(values: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) throw new Error(`two of its parts ${what} "${value}"`);
    seen.add(value);
  }
}
