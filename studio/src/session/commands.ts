import { freeColour, isClassColour, isSameColour } from "./colours.js";
import { StudioError } from "./errors.js";
import { freeName } from "./names.js";
import type { PaintClass, PaintedImage, Session, Stroke } from "./types.js";

/** Labels are one byte, 255 is void, and one more stays in reserve. */
export const MOST_CLASSES = 254;

/** An id that nothing else has. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A session without images and with the classes "background" and "object". */
export function newSession(): Session {
  return addClass(addClass({ classes: [], images: [] }, "background"), "object");
}

/**
 * Adds a class at the end of the list.
 *
 * @param name by default "class N" with the first N that is free
 * @param colour by default one that colour-blind people can tell from the others
 * @throws StudioError `invalid-class` if name or colour is taken, or there are {@link MOST_CLASSES} classes already
 */
export function addClass(session: Session, name?: string, colour?: PaintClass["colour"]): Session {
  const { classes } = session;
  if (classes.length >= MOST_CLASSES) {
    throw new StudioError(
      "invalid-class",
      `There are ${classes.length} classes, and masks can hold ${MOST_CLASSES} at most.`,
      "Remove a class first.",
    );
  }
  const added = {
    id: newId(),
    name: name === undefined ? unusedName(classes) : checkedName(classes, name),
    colour: colour === undefined ? freeColour(classes.map((one) => one.colour)) : checkedColour(classes, colour),
  };
  return { ...session, classes: [...classes, added] };
}

/** Renames a class. Throws StudioError `invalid-class` if the name is empty or another class has it. */
export function renameClass(session: Session, classId: string, name: string): Session {
  const others = session.classes.filter(({ id }) => id !== classId);
  return changeClass(session, classId, { name: checkedName(others, name) });
}

/** Gives a class another colour. Throws StudioError `invalid-class` if another class has it, or void. */
export function recolourClass(session: Session, classId: string, colour: PaintClass["colour"]): Session {
  const others = session.classes.filter(({ id }) => id !== classId);
  return changeClass(session, classId, { colour: checkedColour(others, colour) });
}

/** Removes a class and its strokes on all images. Throws StudioError `invalid-class` for the last one. */
export function removeClass(session: Session, classId: string): Session {
  const { name } = find(session.classes, classId, "class");
  if (session.classes.length === 1) {
    throw new StudioError("invalid-class", `"${name}" is the only class.`, "Add another class first, or rename it.");
  }
  return {
    classes: session.classes.filter(({ id }) => id !== classId),
    images: session.images.map((image) => withStrokes(image, (stroke) => stroke.classId !== classId)),
  };
}

/** Moves a class to place `to` (0 is the first) in the list. Its label changes with its place. */
export function moveClass(session: Session, classId: string, to: number): Session {
  const moved = find(session.classes, classId, "class");
  const classes = session.classes.filter(({ id }) => id !== classId);
  const place = Math.max(0, Math.min(classes.length, to));
  if (session.classes[place]?.id === classId) return session;
  classes.splice(place, 0, moved);
  return { ...session, classes };
}

/** Adds images at the end. A name that is taken, whatever its extension and case, gets a number: "cat-2.jpg". */
export function addImages(session: Session, images: readonly PaintedImage[]): Session {
  if (images.length === 0) return session;
  const all = [...session.images];
  for (const image of images) {
    all.push({
      ...image,
      name: freeName(
        image.name,
        all.map(({ name }) => name),
      ),
    });
  }
  return { ...session, images: all };
}

/** Gives an image another name; one that is taken gets a number, as in {@link addImages}. */
export function renameImage(session: Session, imageId: string, name: string): Session {
  const others = session.images.filter(({ id }) => id !== imageId);
  const free = freeName(
    name.trim(),
    others.map((other) => other.name),
  );
  return changeImage(session, imageId, (image) => (image.name === free ? image : { ...image, name: free }));
}

/** Removes an image and its strokes. Its file has to stay where it is for as long as undo may bring it back. */
export function removeImage(session: Session, imageId: string): Session {
  find(session.images, imageId, "image");
  return { ...session, images: session.images.filter(({ id }) => id !== imageId) };
}

/** Paints on an image, over what is painted there. Throws StudioError `unknown-item` if the class is not there. */
export function addStroke(session: Session, imageId: string, stroke: Stroke): Session {
  if (stroke.classId !== null) find(session.classes, stroke.classId, "class");
  const order = 1 + session.images.reduce((most, { strokes }) => Math.max(most, strokes.at(-1)?.order ?? 0), 0);
  return changeImage(session, imageId, (image) => ({ ...image, strokes: [...image.strokes, { ...stroke, order }] }));
}

export function removeStroke(session: Session, imageId: string, strokeId: string): Session {
  find(find(session.images, imageId, "image").strokes, strokeId, "stroke");
  return changeImage(session, imageId, (image) => withStrokes(image, ({ id }) => id !== strokeId));
}

/** Removes all that is painted on an image. */
export function clearStrokes(session: Session, imageId: string): Session {
  return changeImage(session, imageId, (image) => withStrokes(image, () => false));
}

/** The image with those of its strokes that `keep` accepts; itself if those are all. */
function withStrokes(image: PaintedImage, keep: (stroke: Stroke) => boolean): PaintedImage {
  return image.strokes.every(keep) ? image : { ...image, strokes: image.strokes.filter(keep) };
}

function changeImage(session: Session, imageId: string, change: (image: PaintedImage) => PaintedImage): Session {
  const image = find(session.images, imageId, "image");
  const changed = change(image);
  if (changed === image) return session;
  return { ...session, images: session.images.map((one) => (one === image ? changed : one)) };
}

function changeClass(session: Session, classId: string, change: Partial<PaintClass>): Session {
  const changed = find(session.classes, classId, "class");
  return { ...session, classes: session.classes.map((one) => (one === changed ? { ...one, ...change } : one)) };
}

function find<Item extends { readonly id: string }>(items: readonly Item[], id: string, what: string): Item {
  const item = items.find((one) => one.id === id);
  if (item !== undefined) return item;
  throw new StudioError("unknown-item", `The session has no ${what} "${id}".`, "Undo, or reload the page.");
}

function unusedName(classes: readonly PaintClass[]): string {
  for (let n = classes.length + 1; ; n++) {
    if (!classes.some(({ name }) => name === `class ${n}`)) return `class ${n}`;
  }
}

function checkedName(others: readonly PaintClass[], name: string): string {
  const trimmed = name.trim();
  const refuse = (message: string): never => {
    throw new StudioError("invalid-class", message, "Type another name.");
  };
  if (trimmed === "") return refuse("The name of the class is empty.");
  if (others.some((other) => other.name === trimmed)) return refuse(`Another class is called "${trimmed}" already.`);
  return trimmed;
}

function checkedColour(others: readonly PaintClass[], colour: PaintClass["colour"]): PaintClass["colour"] {
  const refuse = (message: string): never => {
    throw new StudioError("invalid-class", message, "Choose another colour.");
  };
  if (!isClassColour(colour)) return refuse(`Masks cannot show a class in the colour [${colour}].`);
  const twin = others.find((other) => isSameColour(other.colour, colour));
  return twin === undefined ? colour : refuse(`The class "${twin.name}" has the colour [${colour}] already.`);
}
