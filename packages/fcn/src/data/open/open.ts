import { TensorError } from "@fcn/tensor";
import { type CocoOptions, cocoProblems, hasCoco, openCoco } from "../annotations/openCoco.js";
import { hasLabelme, type LabelmeOptions, openLabelme } from "../annotations/openLabelme.js";
import { fileError } from "../files/errors.js";
import { kindOf, listFiles, listFolders } from "../files/files.js";
import { type DataRemark, plainRemark } from "../files/remarks.js";
import { firstOf } from "../files/words.js";
import { maskFolders, openMaskFolder } from "../folder/open.js";
import type { PairOptions } from "../folder/pairs.js";
import type { SplitOptions } from "../folder/splits.js";
import { isNyud, type NyudOptions, openNyud } from "../layouts/nyud.js";
import { type ContextOptions, isPascalContext, openPascalContext } from "../layouts/pascalContext.js";
import { openSbd, sbdFolder } from "../layouts/sbd.js";
import { isSiftFlow, openSiftFlow } from "../layouts/siftFlow.js";
import { openVoc, type VocOptions, vocFolder } from "../layouts/voc.js";
import type { OpenedData } from "../samples/dataset.js";
import { COCO_OVERLAPS } from "../shapes/coco.js";
import { foreignAnnotations } from "./foreign.js";
import type { InspectOptions } from "./inspectAll.js";
import { absentParts, nearMisses } from "./nearLayouts.js";
import { type RangeOptions, withPictureRange } from "./pictureRange.js";
import { withoutBad } from "./skipBad.js";

export type LayoutOptions = VocOptions & NyudOptions & ContextOptions & CocoOptions & LabelmeOptions & PairOptions;

/** Beside those of all layouts, each has its own; one of another layout is refused. */
export type OpenOptions = SplitOptions &
  InspectOptions &
  RangeOptions &
  LayoutOptions & {
    /** Skips recognition: for a folder that fits several layouts. */
    readonly layout?: LayoutName;
    /**
     * Looks at all files and leaves out, each from its split, pictures whose files cannot be read, differ in size, or hold labels without a class: `leftOut`
     * and the remarks list them. Problems of the folder itself stay. Throws where nothing is left of a split. Default false: such pictures fail when
     * they are loaded, and in the check.
     */
    readonly skipBad?: boolean;
  };

export type LayoutName = keyof typeof LAYOUTS;

interface Layout {
  readonly what: string;
  readonly recognise: (root: string) => Promise<boolean>;
  readonly open: (root: string, options: OpenOptions) => Promise<OpenedData>;
  /** The files and folders that it consists of. */
  readonly parts?: readonly string[];
  /** The options that are its own. */
  readonly options?: readonly (keyof LayoutOptions)[];
}

/** What the command line calls the options of single layouts. */
const FLAGS: Readonly<Record<keyof LayoutOptions, string>> = {
  year: "--year",
  sbd: "--sbd",
  d2l: "--d2l",
  input: "--nyud-input",
  voc: "--voc",
  contextClasses: "--context-classes",
  categories: "--categories",
  overlap: "--coco-overlap",
  lineWidth: "--line-width",
  maskSuffix: "--mask-suffix",
};

/** The first that recognises a folder opens it: what is laid out most particularly comes first. */
const LAYOUTS = {
  voc: {
    what: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/ (PASCAL VOC)",
    recognise: async (root) => (await vocFolder(root)) !== undefined,
    open: openVoc,
    parts: ["JPEGImages", "SegmentationClass", "ImageSets/Segmentation"],
    options: ["year", "sbd", "d2l", "maskSuffix"],
  },
  sbd: {
    what: "img/, cls/ and train.txt (SBD)",
    recognise: async (root) => (await sbdFolder(root)) !== undefined,
    open: openSbd,
    parts: ["img", "cls", "train.txt"],
  },
  nyud: {
    what: "data/images/ and segmentation/ (NYUDv2)",
    recognise: isNyud,
    open: openNyud,
    parts: ["data/images", "segmentation"],
    options: ["input"],
  },
  siftflow: {
    what: "Images/, SemanticLabels/ and GeoLabels/ (SIFT Flow)",
    recognise: isSiftFlow,
    open: openSiftFlow,
    parts: ["Images", "SemanticLabels", "GeoLabels"],
  },
  "pascal-context": {
    what: "trainval/ and labels.txt (PASCAL-Context)",
    recognise: isPascalContext,
    open: openPascalContext,
    parts: ["trainval", "labels.txt"],
    options: ["voc", "contextClasses"],
  },
  folder: {
    what: "images/ and masks/",
    recognise: async (root) => (await maskFolders(root)) !== undefined,
    open: openMaskFolder,
    options: ["maskSuffix"],
  },
  coco: { what: "a COCO .json", recognise: hasCoco, open: openCoco, options: ["categories", "overlap"] },
  labelme: { what: "labelme .json files", recognise: hasLabelme, open: openLabelme, options: ["lineWidth"] },
} as const satisfies Record<string, Layout>;

/** The layouts that {@link open} knows, and what each is recognised by. */
export function layouts(): Record<string, string> {
  return Object.fromEntries(Object.entries(LAYOUTS).map(([name, { what }]) => [name, what]));
}

/**
 * Opens a folder of labelled pictures (Node); its layout is recognised by looking and told in `layout`. No picture is decoded. Masks are, where it has
 * to be found out what they mean: of `images/` and `masks/` every mask is as a rule, whatever list of classes there is, but one where each class has
 * its `value`, or where each has its `color` and all masks are RGB.
 * Throws a TensorError: "missing-data" for a folder that holds no known layout, "invalid-argument" for options that
 * cannot be, or are those of another layout. Where `signal` is aborted it throws the signal's reason.
 */
export async function open(root: string, options: OpenOptions = {}): Promise<OpenedData> {
  const folder = root.length > 1 ? root.replace(/[/\\]+$/, "") : root;
  const kind = await kindOf(folder);
  if (kind !== "folder") {
    const problem = kind === undefined ? "it does not exist" : "it is a file";
    throw fileError("missing-data", root, problem, "name a folder with labelled pictures");
  }
  checkOptions(options);
  if (options.layout !== undefined) await checkFit(folder, options.layout);
  const name = options.layout ?? (await recognise(folder));
  checkOwner(root, name, options);
  const found = await LAYOUTS[name].open(folder, options);
  const others = options.layout === undefined ? await otherLayouts(folder, name) : [];
  const remarks = [...others, ...lostLetters(found), ...found.remarks].map(plainRemark);
  const opened = await withPictureRange({ ...found, remarks }, options);
  return options.skipBad ? withoutBad(opened, options) : opened;
}

/** Warns of names that a conversion of text has damaged: whatever it could not read it replaced by one sign, and names that differ in it alone are one. */
function lostLetters({ root, classes }: OpenedData): DataRemark[] {
  const lost = classes.filter((name) => name.includes("\ufffd"));
  if (lost.length === 0) return [];
  const what = lost.length === 1 ? "the name of a class has" : `the names of ${lost.length} classes have`;
  const names = firstOf(
    lost.map((name) => `"${name}"`),
    5,
  );
  const text = `${what} the sign \ufffd for letters that a conversion to UTF-8 lost (${names}): several names may have become one; export or convert the file again from its original, and tell the converter its encoding`;
  return [{ level: "warning", code: "lost-letters", file: root, text }];
}

function checkOptions(options: OpenOptions): void {
  const { validation = 0, seed = 0, layout, overlap = "smaller", lineWidth = 1, maskSuffix } = options;
  const refuse = (message: string, fix: string): never => {
    throw new TensorError({ code: "invalid-argument", message: `open: ${message}`, fix });
  };
  if (!(validation >= 0 && validation < 1)) {
    refuse(`validation is ${validation}`, "give a part of the pictures: a number from 0 to below 1, such as 0.2");
  }
  if (!Number.isSafeInteger(seed)) refuse(`seed is ${seed}`, "give a whole number");
  if (layout !== undefined && !Object.hasOwn(LAYOUTS, layout)) {
    refuse(`layout is "${layout}"`, `use one of: ${Object.keys(LAYOUTS).join(", ")}`);
  }
  if ((maskSuffix !== undefined && !/^[^*]*[*]?[^*]*$/.test(maskSuffix)) || maskSuffix === "" || maskSuffix === "*") {
    refuse(
      `maskSuffix is "${maskSuffix}"`,
      'give the end of the names, such as "_mask", or "mask_*" for their beginning',
    );
  }
  if (!COCO_OVERLAPS.includes(overlap)) refuse(`overlap is "${overlap}"`, `use one of: ${COCO_OVERLAPS.join(", ")}`);
  if (!(lineWidth > 0 && Number.isFinite(lineWidth))) {
    refuse(`lineWidth is ${lineWidth}`, "give a number of pixels above 0, such as 10");
  }
}

/** Throws for an option that another layout has and this one has not: it would be without effect. */
function checkOwner(root: string, name: LayoutName, options: OpenOptions): void {
  const own: Layout = LAYOUTS[name];
  for (const [owner, layout] of Object.entries<Layout>(LAYOUTS)) {
    const stray = layout.options?.find((option) => options[option] !== undefined && !own.options?.includes(option));
    if (stray === undefined) continue;
    const problem = `its layout is ${name}, but ${stray} (${FLAGS[stray]}) is an option of the layout ${owner}`;
    throw fileError("invalid-argument", root, problem, "leave the option out, or name a folder of that layout");
  }
}

const ENTRIES = Object.entries(LAYOUTS) as readonly (readonly [LayoutName, Layout])[];

async function recognise(root: string): Promise<LayoutName> {
  for (const [name, layout] of ENTRIES) if (await layout.recognise(root)) return name;
  const near = await nearMisses(
    root,
    ENTRIES.flatMap(([name, { parts }]) => (parts ? [[name, parts] as const] : [])),
  );
  const isTold = (text: string): boolean => near.some(({ problem }) => problem === text);
  const problems = [
    ...near.map(({ problem }) => problem),
    ...(await cocoProblems(root)).filter((text) => !isTold(text)),
    ...(await foreignAnnotations(root)),
  ];
  const fixes = [...new Set(near.flatMap(({ fix }) => fix ?? []))].slice(0, 2);
  const known = ENTRIES.map(([, { what }]) => what).join("; ");
  const otherwise = `put pictures into images/ and masks of the same name into masks/; also known: ${known}`;
  throw new TensorError({
    code: "missing-data",
    message: [`${root}: no known layout of labelled pictures is in it`, ...problems].join("; "),
    // Of annotations that are there no other layout is asked.
    fix: near[0]?.isAnnotations ? fixes.join("; or ") : [...fixes, otherwise].join("; or "),
  });
}

/** Throws where a layout was asked for whose files and folders are not there; what is missing of annotations in JSON is told where they are opened. */
async function checkFit(root: string, name: LayoutName): Promise<void> {
  const { what, recognise, parts = ["images", "masks"] }: Layout = LAYOUTS[name];
  if (name === "coco" || name === "labelme" || (await recognise(root))) return;
  const absent = await absentParts(root, parts);
  const there = [...(await listFolders(root)).map((folder) => `${folder}/`), ...(await listFiles(root))];
  const missing = absent.length > 0 ? `; missing: ${absent.join(", ")}` : "";
  const problem = `the layout ${name} needs ${what}${missing}; there ${there.length === 0 ? "is nothing" : `are ${firstOf(there, 8)}`}`;
  throw fileError("missing-data", root, problem, {
    code: "put them there, or leave the option layout out, so that the layout is found by looking",
    command: "put them there, or leave --layout out, so that the layout is found by looking",
  });
}

/** A note where the folder fits further layouts: what lies in it for those is not read. */
async function otherLayouts(root: string, taken: LayoutName): Promise<DataRemark[]> {
  const later = ENTRIES.slice(ENTRIES.findIndex(([name]) => name === taken) + 1);
  const others: string[] = [];
  for (const [name, layout] of later) {
    // The folders of VOC are masks of their own as well.
    const isSame = name === "folder" && (await absentParts(root, ["images", "masks"])).length > 0;
    if (!isSame && (await layout.recognise(root))) others.push(`${name} (${layout.what})`);
  }
  if (others.length === 0) return [];
  const text = `it is read by the layout ${taken} (${LAYOUTS[taken].what}), and fits ${others.join(" and ")} too`;
  const about = { level: "note", code: "other-layouts", file: root } as const;
  return [{ ...about, text: `${text}; the option layout chooses`, commandText: `${text}; --layout chooses` }];
}
