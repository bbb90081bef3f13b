import type { TensorError } from "@fcn/tensor";
import { firstOf, reworded } from "@fcn/tensor/internal";
import { vocColours } from "../../labels/colours.js";
import { VOID_LABEL } from "../../labels/sample.js";
import type { OptionTable } from "../../options/option.js";
import { number } from "../../options/rules.js";
import { jsonFiles, jsonKind, readEach } from "../annotations/jsonFiles.js";
import { labelmeImages, otherImages } from "../annotations/labelmeImages.js";
import { IMAGE_PATTERN } from "../decode/image.js";
import { fileError, unlessAway } from "../files/errors.js";
import { joinPath, listFiles, readJson, withoutExtension } from "../files/files.js";
import { type DataRemark, withFix } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { classFileOf, readClasses } from "../folder/classes.js";
import { colourOf } from "../folder/colours.js";
import { divide } from "../folder/divide.js";
import type { SampleItem } from "../samples/item.js";
import { isLabelme, type LabelmeFile, parseLabelme, reservedName } from "../shapes/labelmeFile.js";
import type { Layout, OpenedLayout, OpenerOptions } from "./layout.js";

export interface LabelmeOptions {
  /** Width of lines and diameter of points, in pixels. Default 10. */
  readonly lineWidth?: number;
}

const OPTIONS = {
  lineWidth: {
    rule: number("a number of pixels above 0, such as 10", (value) => value > 0 && Number.isFinite(value)),
    fallback: 10,
    flag: "--line-width <n>",
    help: "for labelme: the width of lines and the diameter of points, in pixels",
  },
} as const satisfies OptionTable<LabelmeOptions>;

/** Whether a JSON file below `root` is a labelme file, or has its keys but cannot be read. */
async function hasLabelme(root: string): Promise<boolean> {
  for (const file of await jsonFiles(root)) {
    if ((await jsonKind(root, file).catch(unlessAway("other"))) !== "labelme") continue;
    const isOne = await readJson(joinPath(root, file)).then(isLabelme, () => true);
    if (isOne) return true;
  }
  return false;
}

/** Undefined for JSON that is clearly something else. Throws a TensorError that names the file and its fault. */
async function readIfLabelme(root: string, path: string): Promise<LabelmeFile | undefined> {
  if ((await jsonKind(root, path)) !== "labelme") return undefined;
  const file = joinPath(root, path);
  const json = await readJson(file);
  return isLabelme(json) ? parseLabelme(file, json) : undefined;
}

/** Files that are read at a time. */
const AHEAD = 16;

/**
 * Opens a folder of labelme files anywhere below `root`. The image of each is found by its `imagePath`, otherwise by
 * its name. Classes come from `classes.json`, otherwise from the shapes: background, then the names in alphabetical
 * order.
 */
async function open(root: string, options: LabelmeOptions & OpenerOptions): Promise<OpenedLayout> {
  const remarks: DataRemark[] = [];
  const images = (await listFiles(root, { recursive: true })).filter((file) => IMAGE_PATTERN.test(file));
  const imageOf = labelmeImages(root, images);
  const foreign: string[] = [];
  const byImage = new Map<string, string>();
  const about = { remarks, signal: options.signal, ahead: AHEAD };
  const read = (json: string) => readIfLabelme(root, json);
  const { found, failures } = await readEach(root, await jsonFiles(root), about, read, async (json, labelme) => {
    if (labelme === undefined) {
      foreign.push(json);
      return undefined;
    }
    const { imagePath, shapes } = labelme;
    const { path: image, isOther } = await imageOf(json, imagePath);
    const twin = byImage.get(image);
    if (twin === undefined) {
      byImage.set(image, json);
      return { json, image, imagePath, isOther, names: shapes.map(({ label }) => label) };
    }
    const problem = `its image ${image} is also that of ${joinPath(root, twin)}: each file would treat the shapes of the other as background`;
    const said = withFix(problem, "merge the shapes into one file, or correct imagePath");
    const files = [joinPath(root, image)];
    remarks.push({ level: "problem", code: "same-image", file: joinPath(root, json), ...said, files });
    return undefined;
  });
  const used = new Set(found.map(({ image }) => image));
  for (const image of images.filter((file) => !used.has(file))) {
    const text = "it has no labelme file";
    remarks.push({ level: "warning", code: "image-without-mask", file: joinPath(root, image), text });
  }
  if (found.length === 0) throw nothingFound(root, failures);
  const others = found.filter(({ isOther }) => isOther);
  if (others.length > 0) {
    remarks.push({ level: "warning", code: "other-image", file: root, text: otherImages(others) });
  }
  if (foreign.length > 0) {
    const [what, were] = foreign.length === 1 ? ["is not a labelme file", "was"] : ["are not labelme files", "were"];
    const text = `${counted(foreign.length, "JSON file")} ${what} and ${were} not read: ${firstOf(foreign, 3)}`;
    remarks.push({ level: "note", code: "other-json", file: root, text });
  }
  const shapeNames = found.flatMap(({ names }) => names);
  const { classes, palette, ...meaning } = await nameClasses(root, shapeNames);
  const { lineWidth = OPTIONS.lineWidth.fallback } = options;
  const items = found.map(({ json, image }): SampleItem => {
    const labels = { kind: "labelme", file: joinPath(root, json), lineWidth, ...meaning } as const;
    return { name: withoutExtension(image), image: [{ file: joinPath(root, image), as: "rgb" }], labels };
  });
  const divided = await divide(root, items, { classes, palette }, options);
  return { root, classes, palette, ...divided, remarks: [...divided.remarks, ...remarks] };
}

/** If no file can be used, the fault of the first most likely applies to all. */
function nothingFound(root: string, [first, ...others]: readonly TensorError[]): TensorError {
  if (first === undefined) return fileError("missing-data", root, "it holds no labelme file", "put the .json there");
  const rest = others.length > 0 ? `; none of the ${others.length + 1} labelme files can be used` : "";
  return reworded(first, { message: `${first.message}${rest}` });
}

/** Void in labelme's own class lists, and never a class. */
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
  const palette = vocColours(classes.length).map((colour, label) => {
    const own = colours.get(classes[label] as string);
    return own === undefined ? colour : colourOf(own);
  });
  return { names: [...names], background, classes, palette, listedIn: classFileOf(entries) };
}

/** One labelme file per image. */
export const labelme: Layout<LabelmeOptions> = {
  what: "labelme .json files",
  recognise: hasLabelme,
  open,
  options: OPTIONS,
};
