import { TensorError } from "@fcn/tensor";
import type { Abortable } from "../../abort.js";
import type { DataRemark, OpenedData } from "../dataset.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError } from "../errors.js";
import { fileName, joinPath, listFiles, readJson, sameText, withoutExtension } from "../files.js";
import type { SampleItem } from "../item.js";
import { VOID_LABEL } from "../sample.js";
import { isLabelme, readLabelme, reservedName } from "../shapes/labelme.js";
import { readClasses } from "./classes.js";
import { colourOf, defaultPalette } from "./colours.js";
import { divide } from "./divide.js";
import type { SplitOptions } from "./splits.js";

export interface LabelmeOptions {
  /** Width in pixels of lines, diameter of points. Default 10. */
  readonly lineWidth?: number;
}

/** The JSON files below `root` that may be labelme's. */
async function jsonFiles(root: string): Promise<string[]> {
  return (await listFiles(root, { recursive: true })).filter((file) => {
    return file.endsWith(".json") && fileName(file) !== "classes.json";
  });
}

/** Whether one of the first JSON files below `root` is labelme's. */
export async function hasLabelme(root: string): Promise<boolean> {
  for (const file of (await jsonFiles(root)).slice(0, 5)) {
    if (isLabelme(await readJson(joinPath(root, file)).catch(() => undefined))) return true;
  }
  return false;
}

/**
 * Opens a folder of labelme files, wherever they lie below `root`; the picture of each is found by its `imagePath`, else by its name.
 * Classes come from `classes.json`, else from the shapes: background first, then the names in alphabetical order.
 */
export async function openLabelme(
  root: string,
  options: SplitOptions & LabelmeOptions & Abortable,
): Promise<OpenedData> {
  const remarks: DataRemark[] = [];
  const failures: TensorError[] = [];
  const pictures = (await listFiles(root, { recursive: true })).filter((file) => IMAGE_PATTERN.test(file));
  const found: { json: string; image: string; names: string[] }[] = [];
  const byImage = new Map<string, string>();
  for (const json of await jsonFiles(root)) {
    options.signal?.throwIfAborted();
    const file = joinPath(root, json);
    try {
      const { imagePath, shapes } = await readLabelme(file);
      const image = findPicture(json, imagePath, pictures);
      if (image === undefined) throw noPicture(file, imagePath);
      const twin = byImage.get(image);
      if (twin !== undefined) throw samePicture(file, image, joinPath(root, twin));
      byImage.set(image, json);
      found.push({ json, image, names: shapes.map(({ label }) => label) });
    } catch (error) {
      const { code, message, fix } = error as TensorError;
      failures.push(error as TensorError);
      const text = message.replace(`${file}: `, "");
      remarks.push({ level: "problem", code, file, text: fix ? `${text} (${fix})` : text });
    }
  }
  const used = new Set(found.map(({ image }) => image));
  for (const picture of pictures.filter((file) => !used.has(file))) {
    const text = "it has no labelme file";
    remarks.push({ level: "warning", code: "image-without-mask", file: joinPath(root, picture), text });
  }
  if (found.length === 0) throw nothingFound(root, failures);
  const { names, background, classes, palette } = await nameClasses(
    root,
    found.flatMap((entry) => entry.names),
  );
  const { lineWidth = 10 } = options;
  const items = found.map(({ json, image }): SampleItem => {
    const labels = { kind: "labelme", file: joinPath(root, json), names, background, lineWidth } as const;
    return { name: withoutExtension(image), image: [{ file: joinPath(root, image), as: "rgb" }], labels };
  });
  const { splits, remarks: about } = await divide(root, items, { classes, palette }, options);
  return { root, layout: "labelme", classes, palette, splits, remarks: [...about, ...remarks] };
}

/** The path below the root of the picture that a labelme file means. */
function findPicture(json: string, imagePath: string, pictures: readonly string[]): string | undefined {
  const folder = json.slice(0, json.length - fileName(json).length);
  const wanted = sameText(fileName(imagePath));
  const stem = sameText(withoutExtension(fileName(json)));
  const isNamed = (file: string): boolean => sameText(fileName(file)) === wanted;
  const isStem = (file: string): boolean => sameText(withoutExtension(fileName(file))) === stem;
  const here = pictures.filter((file) => file.startsWith(folder) && !file.slice(folder.length).includes("/"));
  return here.find(isNamed) ?? here.find(isStem) ?? pictures.find(isNamed) ?? pictures.find(isStem);
}

function noPicture(file: string, imagePath: string): TensorError {
  const fix = "put the picture beside the file";
  return fileError("missing-data", file, `its picture "${imagePath}" is nowhere in the folder`, fix);
}

function samePicture(file: string, image: string, twin: string): TensorError {
  const problem = `its picture ${image} is that of ${twin} too: each would take the shapes of the other for background`;
  return fileError("same-picture", file, problem, "bring the shapes into one file, or correct imagePath");
}

/** Not one file can be used: what is wrong with the first is most likely wrong with all. */
function nothingFound(root: string, [first, ...others]: readonly TensorError[]): TensorError {
  if (first === undefined) return fileError("missing-data", root, "it holds no labelme file", "put the .json there");
  const { code, message, fix } = first;
  const rest = others.length > 0 ? `; none of the ${others.length + 1} labelme files can be used` : "";
  return new TensorError({ code, message: `${message}${rest}`, fix });
}

/** Void in labelme's own lists of classes, and never a class. */
const IGNORED = "__ignore__";

async function nameClasses(root: string, shapeNames: readonly string[]) {
  const entries = await readClasses(root);
  const free = [...new Set(shapeNames)].filter((name) => reservedName(name) === undefined).sort();
  const named = entries?.filter(({ ignore, name }) => !ignore && name !== IGNORED).map(({ name }) => name);
  const listed = named ?? free;
  const isBackground = (name: string): boolean => reservedName(name) === "background";
  const classes = listed.some(isBackground) ? listed : ["background", ...listed];
  const background = classes.findIndex(isBackground);
  const names = new Map<string, number>(classes.map((name, label) => [name, label]));
  for (const { name } of entries?.filter(({ ignore }) => ignore) ?? []) names.set(name, VOID_LABEL);
  for (const name of new Set(shapeNames)) {
    const meaning = reservedName(name);
    if (meaning !== undefined && !names.has(name)) names.set(name, meaning === "void" ? VOID_LABEL : background);
  }
  const colours = new Map(entries?.map(({ name, colour }) => [name, colour] as const));
  const palette = defaultPalette(classes.length).map((colour, label) => {
    const own = colours.get(classes[label] as string);
    return own === undefined ? colour : colourOf(own);
  });
  return { names: [...names], background, classes, palette };
}
