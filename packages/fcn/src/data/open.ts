import { TensorError } from "@fcn/tensor";
import type { Abortable } from "../abort.js";
import type { OpenedData } from "./dataset.js";
import { fileError } from "./errors.js";
import { kindOf } from "./files.js";
import { foreignAnnotations } from "./folder/foreign.js";
import { maskFolders, openMaskFolder } from "./folder/open.js";
import { type CocoOptions, cocoProblems, hasCoco, openCoco } from "./folder/openCoco.js";
import { hasLabelme, type LabelmeOptions, openLabelme } from "./folder/openLabelme.js";
import type { SplitOptions } from "./folder/splits.js";
import { isNyud, type NyudOptions, openNyud } from "./layouts/nyud.js";
import { type ContextOptions, isPascalContext, openPascalContext } from "./layouts/pascalContext.js";
import { openSbd, sbdFolder } from "./layouts/sbd.js";
import { isSiftFlow, openSiftFlow } from "./layouts/siftFlow.js";
import { openVoc, type VocOptions, vocFolder } from "./layouts/voc.js";
import { COCO_OVERLAPS } from "./shapes/coco.js";
import type { WorkerOptions } from "./workers/pool.js";

export type LayoutOptions = VocOptions & NyudOptions & ContextOptions & CocoOptions & LabelmeOptions;

/** Beside those of all layouts, each has its own; one of another layout is refused. */
export type OpenOptions = SplitOptions &
  WorkerOptions &
  Abortable &
  LayoutOptions & {
    /** Skips recognition. */
    readonly layout?: LayoutName;
  };

export type LayoutName = keyof typeof LAYOUTS;

interface Layout {
  readonly what: string;
  readonly recognise: (root: string) => Promise<boolean>;
  readonly open: (root: string, options: OpenOptions) => Promise<OpenedData>;
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
};

/** The first that recognises a folder opens it: what is laid out most particularly comes first. */
const LAYOUTS = {
  voc: {
    what: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/ (PASCAL VOC)",
    recognise: async (root) => (await vocFolder(root)) !== undefined,
    open: openVoc,
    options: ["year", "sbd", "d2l"],
  },
  sbd: {
    what: "img/, cls/ and train.txt (SBD)",
    recognise: async (root) => (await sbdFolder(root)) !== undefined,
    open: openSbd,
  },
  nyud: {
    what: "data/images/ and segmentation/ (NYUDv2)",
    recognise: isNyud,
    open: openNyud,
    options: ["input"],
  },
  siftflow: { what: "Images/, SemanticLabels/ and GeoLabels/ (SIFT Flow)", recognise: isSiftFlow, open: openSiftFlow },
  "pascal-context": {
    what: "trainval/ and labels.txt (PASCAL-Context)",
    recognise: isPascalContext,
    open: openPascalContext,
    options: ["voc", "contextClasses"],
  },
  folder: {
    what: "images/ and masks/",
    recognise: async (root) => (await maskFolders(root)) !== undefined,
    open: openMaskFolder,
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
  const name = options.layout ?? (await recognise(folder));
  checkOwner(root, name, options);
  return LAYOUTS[name].open(folder, options);
}

function checkOptions({ validation = 0, seed = 0, layout, overlap = "smaller", lineWidth = 1 }: OpenOptions): void {
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

async function recognise(root: string): Promise<LayoutName> {
  for (const [name, layout] of Object.entries(LAYOUTS)) if (await layout.recognise(root)) return name as LayoutName;
  const problems = [...(await cocoProblems(root)), ...(await foreignAnnotations(root))];
  throw new TensorError({
    code: "missing-data",
    message: [`${root}: no known layout of labelled pictures is in it`, ...problems].join("; "),
    fix: `put pictures into images/ and masks of the same name into masks/; also known: ${Object.values(LAYOUTS)
      .map(({ what }) => what)
      .join("; ")}`,
  });
}
