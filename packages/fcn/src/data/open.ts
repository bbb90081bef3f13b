import { TensorError } from "@fcn/tensor";
import type { Abortable } from "../abort.js";
import type { OpenedData } from "./dataset.js";
import { fileError } from "./errors.js";
import { kindOf } from "./files.js";
import { maskFolders, openMaskFolder } from "./folder/open.js";
import { type CocoOptions, cocoProblems, hasCoco, openCoco } from "./folder/openCoco.js";
import { hasLabelme, type LabelmeOptions, openLabelme } from "./folder/openLabelme.js";
import type { SplitOptions } from "./folder/splits.js";
import { isNyud, type NyudOptions, openNyud } from "./layouts/nyud.js";
import { type ContextOptions, isPascalContext, openPascalContext } from "./layouts/pascalContext.js";
import { openSbd, sbdFolder } from "./layouts/sbd.js";
import { isSiftFlow, openSiftFlow } from "./layouts/siftFlow.js";
import { openVoc, type VocOptions, vocFolder } from "./layouts/voc.js";
import type { WorkerOptions } from "./workers/pool.js";

/** Each layout reads its own options and leaves the others alone. */
export type OpenOptions = SplitOptions &
  WorkerOptions &
  Abortable &
  VocOptions &
  NyudOptions &
  ContextOptions &
  CocoOptions &
  LabelmeOptions & {
    /** Skips recognition. */
    readonly layout?: LayoutName;
  };

export type LayoutName = keyof typeof LAYOUTS;

interface Layout {
  readonly what: string;
  readonly recognise: (root: string) => Promise<boolean>;
  readonly open: (root: string, options: OpenOptions) => Promise<OpenedData>;
}

/** The first that recognises a folder opens it: what is laid out most particularly comes first. */
const LAYOUTS = {
  voc: {
    what: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/ (PASCAL VOC)",
    recognise: async (root) => (await vocFolder(root)) !== undefined,
    open: openVoc,
  },
  sbd: {
    what: "img/, cls/ and train.txt (SBD)",
    recognise: async (root) => (await sbdFolder(root)) !== undefined,
    open: openSbd,
  },
  nyud: { what: "data/images/ and segmentation/ (NYUDv2)", recognise: isNyud, open: openNyud },
  siftflow: { what: "Images/, SemanticLabels/ and GeoLabels/ (SIFT Flow)", recognise: isSiftFlow, open: openSiftFlow },
  "pascal-context": {
    what: "trainval/ and labels.txt (PASCAL-Context)",
    recognise: isPascalContext,
    open: openPascalContext,
  },
  folder: {
    what: "images/ and masks/",
    recognise: async (root) => (await maskFolders(root)) !== undefined,
    open: openMaskFolder,
  },
  coco: { what: "a COCO .json", recognise: hasCoco, open: openCoco },
  labelme: { what: "labelme .json files", recognise: hasLabelme, open: openLabelme },
} as const satisfies Record<string, Layout>;

/** The layouts that {@link open} knows, and what each is recognised by. */
export function layouts(): Record<string, string> {
  return Object.fromEntries(Object.entries(LAYOUTS).map(([name, { what }]) => [name, what]));
}

/**
 * Opens a folder of labelled pictures (Node); its layout is recognised by looking and told in `layout`. No picture is decoded, except masks
 * where the classes have to be found in them. Throws a TensorError: "missing-data" for a folder that holds no known layout, "invalid-argument" for options that
 * cannot be. Where `signal` is aborted it throws the signal's reason.
 */
export async function open(root: string, options: OpenOptions = {}): Promise<OpenedData> {
  const folder = root.length > 1 ? root.replace(/[/\\]+$/, "") : root;
  const kind = await kindOf(folder);
  if (kind !== "folder") {
    const problem = kind === undefined ? "it does not exist" : "it is a file";
    throw fileError("missing-data", root, problem, "name a folder with labelled pictures");
  }
  checkOptions(options);
  return (await layoutOf(folder, options.layout)).open(folder, options);
}

function checkOptions({ validation = 0, seed = 0, layout }: OpenOptions): void {
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
}

async function layoutOf(root: string, name: LayoutName | undefined): Promise<Layout> {
  if (name !== undefined) return LAYOUTS[name];
  for (const layout of Object.values(LAYOUTS)) if (await layout.recognise(root)) return layout;
  const problems = await cocoProblems(root);
  throw new TensorError({
    code: "missing-data",
    message: [`${root}: no known layout of labelled pictures is in it`, ...problems].join("; "),
    fix: `put pictures into images/ and masks of the same name into masks/; also known: ${Object.values(LAYOUTS)
      .map(({ what }) => what)
      .join("; ")}`,
  });
}
