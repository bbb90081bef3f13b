import { data, tracePolygons } from "@fcn/core";
import { addImages, MOST_CLASSES, newId } from "../session/commands.js";
import { StudioError } from "../session/errors.js";
import { baseName } from "../session/names.js";
import { VOID } from "../session/raster.js";
import type { PaintClass, Point, Session, Stroke } from "../session/types.js";
import type { Size } from "../session/workSize.js";
import { type ListedClasses, listedClasses, numberedClasses } from "./classFile.js";
import { openSource, readJson, type Source } from "./folders.js";
import { readImage } from "./readImages.js";
import type { Files } from "./zips.js";

/** What was brought back. */
export interface DataSet {
  readonly session: Session;
  /** The files of the images by their ids. */
  readonly images: ReadonlyMap<string, Blob>;
  /** What was left out and why, in sentences for the person. */
  readonly notes: readonly string[];
}

/** A mask with more regions of a class than this becomes one area, since each stroke costs time at every step. */
const MOST_REGIONS = 100;

/**
 * Reads a data set of `images/`, `masks/` (PNG of the same name) and `classes.json`, as `dataSetZip` writes it, from a
 * zip or a folder. What a mask labels becomes areas along the edges of its pixels, so that the masks of the session are
 * the same; what it leaves void stays unpainted. Images and masks that cannot be used are left out and told in `notes`.
 *
 * @throws StudioError `invalid-data-set` if there is no image that can be used, or the list of classes is wrong
 */
export async function readDataSet(source: Source): Promise<DataSet> {
  const { name, files } = await openSource(source);
  const root = rootOf(files);
  if (root === undefined) throw notDataSet(name, files);
  const notes: string[] = [];
  const masks = new Map(filesIn(files, root, "masks").map((part) => [part.base, part]));
  const listed = await classesOf(files, root, masks);
  let session: Session = { classes: listed.classes, images: [] };
  let strokes = 0;
  const kept = new Map<string, Blob>();
  for (const { path, base, read } of filesIn(files, root, "images")) {
    try {
      const file = await read();
      const image = { id: newId(), ...(await readImage(file, path)) };
      const mask = masks.get(base);
      masks.delete(base);
      const shapes = mask === undefined ? [] : await shapesOf(mask, image, listed, notes);
      const painted = shapes.map((stroke): Stroke => ({ ...stroke, order: ++strokes }));
      session = addImages(session, [{ ...image, strokes: painted }]);
      kept.set(image.id, file);
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      notes.push(error.message);
    }
  }
  if (kept.size === 0) {
    const why = notes[0] === undefined ? "." : `: ${notes[0]}`;
    throw new StudioError("invalid-data-set", `"${name}" holds no image that can be used${why}`, FIX);
  }
  if (masks.size > 0) {
    const names = [...masks.values()].slice(0, 3).map(({ path }) => `"${path}"`);
    notes.push(`Masks without an image of the same name were left out (${masks.size}): ${names.join(", ")}.`);
  }
  return { session, images: kept, notes };
}

const FIX = "Choose one with images/ (JPEG or PNG), masks/ (PNG of the same names) and classes.json.";

/** The path before `images/`: "" or a folder with "/" at its end. */
function rootOf(files: Files): string | undefined {
  const roots = [...files.keys()].flatMap((path) => /^(.*\/)?(?=images\/[^/])/.exec(path)?.[0] ?? []);
  return roots.sort((a, b) => a.length - b.length)[0];
}

/** A file below `images/` or `masks/`, and the path that image and mask have in common. */
interface Part {
  readonly path: string;
  readonly base: string;
  readonly read: () => Promise<Blob>;
}

/** The files below a folder. */
function filesIn(files: Files, root: string, folder: "images" | "masks"): Part[] {
  const start = `${root}${folder}/`;
  const within = [...files].filter(([whole]) => whole.startsWith(start));
  return within.map(([whole, read]) => {
    const path = whole.slice(start.length);
    return { path, base: baseName(path), read };
  });
}

const bytesOf = async ({ read }: Part): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await (await read()).arrayBuffer());

async function classesOf(files: Files, root: string, masks: ReadonlyMap<string, Part>): Promise<ListedClasses> {
  const json = await readJson(files, `${root}classes.json`);
  if (json !== undefined) return listedClasses(json);
  let most = 1;
  let colours: Uint8Array | undefined;
  for (const part of masks.values()) {
    // A mask that cannot be read is told of when its turn comes.
    const png = await data.decodePng(part.path, await bytesOf(part)).catch(() => undefined);
    if (png?.channels !== 1) continue;
    colours ??= png.palette;
    for (const value of png.samples) if (value < VOID) most = Math.max(most, value);
  }
  return numberedClasses(Math.min(most, MOST_CLASSES - 1), colours);
}

/** What a mask labels, as areas of its classes. What cannot be used of it is told in `notes`. */
async function shapesOf(
  mask: Part,
  { height, width }: Size,
  { classes, values, colours }: ListedClasses,
  notes: string[],
): Promise<Stroke[]> {
  const bytes = await bytesOf(mask);
  const by = isRgb(bytes) && colours.length > 1 ? "colour" : "value";
  try {
    const plane = await data.decodeMask(mask.path, bytes, { by, labels: by === "colour" ? colours : values });
    if (plane.height !== height || plane.width !== width) {
      const sizes = `${plane.width} x ${plane.height} pixels, its image ${width} x ${height}`;
      notes.push(`The mask "${mask.path}" has ${sizes}; the image stays unpainted.`);
      return [];
    }
    const [stray] = plane.strays;
    if (stray !== undefined) {
      const key =
        by === "colour" ? `the colour #${stray.key.toString(16).padStart(6, "0")}` : `the number ${stray.key}`;
      notes.push(`The mask "${mask.path}" holds ${key}, which is no class; such pixels stay unpainted.`);
    }
    return areasOf(plane, classes);
  } catch (error) {
    notes.push(`The mask cannot be read: ${(error as Error).message}; the image stays unpainted.`);
    return [];
  }
}

/** Whether a PNG holds colours; byte 25 is its colour type (ISO/IEC 15948). */
const isRgb = (png: Uint8Array): boolean => png[25] === 2 || png[25] === 6;

/** The regions of a label map, each as a stroke, or as one for each class if they are very many. */
function areasOf(plane: data.LabelPlane, classes: readonly PaintClass[]): Stroke[] {
  const byClass = new Map<string, (readonly (readonly Point[])[])[]>();
  for (const { label, rings } of tracePolygons(plane)) {
    const classId = classes[label]?.id;
    if (classId === undefined) continue;
    // The last place of a traced ring repeats the first.
    const open = rings.map((ring) => ring.slice(1));
    const regions = byClass.get(classId);
    if (regions === undefined) byClass.set(classId, [open]);
    else regions.push(open);
  }
  return [...byClass].flatMap(([classId, regions]): Stroke[] => {
    const areas = regions.length > MOST_REGIONS ? [regions.flat()] : regions;
    return areas.map((rings) => ({ id: newId(), classId, shape: { kind: "area", rings } }));
  });
}

function notDataSet(name: string, files: Files): StudioError {
  const [first] = files.keys();
  const content = first === undefined ? "is empty" : `has no folder images/ with images; it holds "${first}"`;
  const more = files.size > 1 ? ` and ${files.size - 1} more files` : "";
  return new StudioError("invalid-data-set", `"${name}" ${content}${more}.`, FIX);
}
