/** x to the right and y down, in pixels of the image at its full size, after the turn that its EXIF data ask for. */
export type Point = readonly [x: number, y: number];

/** What a brush or an eraser leaves: everything within half of `width` of the line, with round ends. */
export interface Line {
  readonly kind: "line";
  readonly points: readonly Point[];
  /** In pixels of the image at its full size. */
  readonly width: number;
}

/** A polygon, or a region that was filled: the inside of closed rings by the even-odd rule. */
export interface Area {
  readonly kind: "area";
  readonly rings: readonly (readonly Point[])[];
}

/** One gesture of painting. Later strokes cover earlier ones. */
export interface Stroke {
  readonly id: string;
  /** The class that is painted; null erases. */
  readonly classId: string | null;
  readonly shape: Line | Area;
  /** Its place in the order of painting over all images, counted from 1; `addStroke` gives it. */
  readonly order?: number;
}

/** A class to paint. Its label is its place in the list of classes. */
export interface PaintClass {
  readonly id: string;
  readonly name: string;
  /** Red, green and blue, 0 to 255. */
  readonly colour: readonly [number, number, number];
}

/** An image and what is painted on it. The store holds its file under its id. */
export interface PaintedImage {
  readonly id: string;
  /** The name of its file. */
  readonly name: string;
  /** At full size, after the turn that its EXIF data ask for. */
  readonly height: number;
  readonly width: number;
  /** In the order of painting. */
  readonly strokes: readonly Stroke[];
}

/** All that a person made. It is never changed in place, so that an earlier one can be shown again. */
export interface Session {
  readonly classes: readonly PaintClass[];
  readonly images: readonly PaintedImage[];
}

/** The names of the nets that the page offers; `own` is one from a weights file. */
export type NetChoice = "fcn8s-small" | "fcn8s-mobilenetv2" | "own";

/** How nets see the images and learn. */
export interface Settings {
  readonly net: NetChoice;
  /** Images are trained on and predicted with their longer side scaled down to at most this. */
  readonly workSide: number;
  /** Whether samples are changed at random: size, turn, mirror, colours. */
  readonly augment: boolean;
}
