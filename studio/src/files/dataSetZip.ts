import type { FullLabels } from "../learn/learner.js";
import { StudioError } from "../session/errors.js";
import { baseName } from "../session/names.js";
import { rasterise } from "../session/raster.js";
import type { PaintedImage, Session } from "../session/types.js";
import type { LabelledImage } from "./coco.js";
import { EXPORTED_TYPES, exportName } from "./exportName.js";
import { maskPng } from "./exports.js";
import { asPng, imageType } from "./readImages.js";
import { writeZip, type ZipPart } from "./zips.js";

/** What labels are taken away, and where they come from. */
export interface LabelOptions {
  readonly session: Session;
  /** Whether masks hold the prediction of the net, by `labelsOf`, or what is painted alone. */
  readonly includePrediction: boolean;
  /** The labels of an image at full size by prediction; needed if it is included. */
  readonly labelsOf?: ((imageId: string) => Promise<FullLabels>) | undefined;
}

/** What goes into a data set. */
export interface DataSetOptions extends LabelOptions {
  /** The file of an image. */
  readonly images: (imageId: string) => Promise<Blob>;
  /** Called after each image. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One image of this many is for validation. */
const VALIDATION_SHARE = 5;

/**
 * A zip of the form that `fcn data check` and `fcn train` take: `images/`, `masks/` (palette PNG of the same name, with
 * 255 where nothing is labelled), `classes.json` with names and colours, `splits/train.txt`, and `splits/val.txt` with
 * every fifth image, with the last of fewer, or absent for a single one. Files of images are those that were given,
 * unless `fcn` cannot read their format; those become PNG. Without predictions, images that nothing is painted on are
 * left out.
 *
 * @throws StudioError `invalid-data-set` if there is no image with labels
 */
export async function dataSetZip(options: DataSetOptions): Promise<Blob> {
  return writeZip(partsOf(options, labelledOnes(options)));
}

/**
 * The images with labels, one after the other, for {@link dataSetZip} and `cocoJson`.
 *
 * @throws StudioError `invalid-data-set` if there is none
 */
export async function* eachLabelled(options: LabelOptions): AsyncGenerator<LabelledImage> {
  for (const image of labelledOnes(options)) yield { name: image.name, ...(await labelsOf(image, options)) };
}

function labelledOnes({ session: { images }, includePrediction }: LabelOptions): readonly PaintedImage[] {
  const labelled = images.filter(({ strokes }) => includePrediction || strokes.some(({ classId }) => classId !== null));
  if (labelled.length > 0) return labelled;
  throw new StudioError(
    "invalid-data-set",
    `Nothing is painted on the ${images.length} images, so there are no labels to take away.`,
    "Paint some strokes, or include what the net predicts.",
  );
}

async function* partsOf(options: DataSetOptions, images: readonly PaintedImage[]): AsyncGenerator<ZipPart> {
  const { session, onProgress } = options;
  const splits: Record<"train" | "val", string[]> = { train: [], val: [] };
  for (const [i, image] of images.entries()) {
    const base = baseName(image.name);
    yield { path: `images/${exportName(image.name)}`, content: await readable(await options.images(image.id)) };
    yield { path: `masks/${base}.png`, content: await maskPng(await labelsOf(image, options), session.classes) };
    splits[i % VALIDATION_SHARE === VALIDATION_SHARE - 1 ? "val" : "train"].push(base);
    onProgress?.(i + 1, images.length);
  }
  // Fewer than five images still need one to validate on; a single one is only trained on.
  if (splits.val.length === 0 && images.length > 1) splits.val = splits.train.splice(-1);
  const entries = session.classes.map(({ name, colour }) => ({ name, color: colour }));
  yield { path: "classes.json", content: `${JSON.stringify(entries, null, 2)}\n` };
  for (const [split, names] of Object.entries(splits)) {
    if (names.length === 0) continue;
    yield { path: `splits/${split}.txt`, content: names.map((name) => `${name}\n`).join("") };
  }
}

/** An image as it is if `fcn` reads its format, and as PNG otherwise. */
async function readable(file: Blob): Promise<Blob> {
  return EXPORTED_TYPES.includes((await imageType(file)) ?? "") ? file : asPng(file);
}

async function labelsOf(image: PaintedImage, { session, includePrediction, labelsOf }: LabelOptions) {
  if (includePrediction) {
    if (labelsOf === undefined) throw new TypeError("dataSetZip: labelsOf is missing, which includePrediction needs");
    return labelsOf(image.id);
  }
  const { height, width } = image;
  return { labels: rasterise(image, session.classes, { height, width }).all, height, width };
}
