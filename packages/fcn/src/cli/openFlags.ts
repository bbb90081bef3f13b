import type { Command } from "commander";
import type { PixelRange } from "../data/decode/pixelScale.js";
import { type LayoutName, layouts, type OpenOptions } from "../data/open/open.js";
import { NYUD_MEANS, type NyudInput } from "../data/published/means.js";
import { COCO_OVERLAPS, type CocoOverlap } from "../data/shapes/coco.js";
import { UsageError } from "./errors.js";
import { parseChoice, parseNames, parseOne, parseRange, parseSize, parseWhole } from "./options.js";

/** The flags of every command that opens a folder of labelled pictures: what single layouts leave open. */
export interface OpenFlags {
  readonly sbd?: string;
  readonly voc?: string;
  readonly year?: number;
  readonly d2l?: [height: number, width: number];
  readonly nyudInput?: NyudInput;
  readonly contextClasses?: number;
  readonly categories?: string[];
  /** Not `overlap`, which is that of tiles. */
  readonly cocoOverlap?: CocoOverlap;
  readonly lineWidth?: number;
  readonly layout?: LayoutName;
  readonly maskSuffix?: string;
  readonly skipBad?: boolean;
  readonly range?: PixelRange;
}

/** The flag of every command that reads pictures. */
export const addRangeFlag = (command: Command): Command =>
  command.option(
    "--range <low,high>",
    "values that become 0 and 255 in pictures of more than 8 bits (default: that of --weights, else one that suits the training pictures)",
    parseRange("--range"),
  );

const LAYOUT_NAMES = Object.keys(layouts()) as LayoutName[];
const NYUD_INPUTS = Object.keys(NYUD_MEANS) as NyudInput[];

export function addOpenFlags(command: Command): Command {
  return addRangeFlag(command)
    .option(
      "--layout <name>",
      `how the folder is laid out: ${LAYOUT_NAMES.join(", ")} (default: found by looking)`,
      parseChoice("--layout", LAYOUT_NAMES),
    )
    .option(
      "--mask-suffix <text>",
      "for images/ and masks/: what masks have in their names beyond those of the pictures, such as _mask, or mask_* where it stands before the name (default: found by looking)",
      parseAffixFlag,
    )
    .option("--skip-bad", "leave out pictures that cannot be used, with their masks, and tell which")
    .option("--sbd <dir>", "for VOC 2011: folder of SBD, whose training list is left out of VOC's val")
    .option("--voc <dir>", "for PASCAL-Context: folder of VOC2010")
    .option(
      "--year <n>",
      "for VOC: which of several years in the folder (default: the last)",
      parseWhole("--year", 2007),
    )
    .option(
      "--d2l <HxW>",
      "for VOC: the d2l book's variant, void is background, pictures below this crop are left out",
      parseSize("--d2l"),
    )
    .option(
      "--nyud-input <name>",
      `for NYUDv2: ${NYUD_INPUTS.join(", ")} (default: color)`,
      parseChoice("--nyud-input", NYUD_INPUTS),
    )
    .option(
      "--context-classes <n>",
      "for PASCAL-Context: 59 or 33 classes beside the background (default: 59)",
      parseWhole("--context-classes", 1),
    )
    .option(
      "--categories <list>",
      "for COCO: categories that become classes 1, 2, ... in this order, with commas between them; others become background (default: all, by their id)",
      parseNames("--categories", "person,dog"),
    )
    .option(
      "--coco-overlap <rule>",
      "for COCO: where instances overlap the smaller one lies on top, or such pixels are void: smaller, void (default: smaller)",
      parseChoice("--coco-overlap", COCO_OVERLAPS),
    )
    .option(
      "--line-width <n>",
      "for labelme: width of lines and diameter of points in pixels (default: 10)",
      parseOne(
        "--line-width",
        "a number of pixels above 0, such as 10",
        (value) => value > 0 && Number.isFinite(value),
      ),
    );
}

function parseAffixFlag(value: string): string {
  if (/[^*/\\]/.test(value) && !/[/\\]/.test(value) && value.split("*").length <= 2) return value;
  throw new UsageError(
    `--mask-suffix is "${value}"`,
    "use the end of the names, such as _mask, or mask_* for their beginning",
  );
}

export function openOptions(flags: OpenFlags): OpenOptions {
  const { sbd, voc, year, d2l, nyudInput, contextClasses, categories, cocoOverlap, lineWidth } = flags;
  const { layout, maskSuffix, skipBad, range } = flags;
  return {
    ...(layout === undefined ? {} : { layout }),
    ...(maskSuffix === undefined ? {} : { maskSuffix }),
    ...(skipBad === undefined ? {} : { skipBad }),
    ...(sbd === undefined ? {} : { sbd }),
    ...(voc === undefined ? {} : { voc }),
    ...(year === undefined ? {} : { year }),
    ...(d2l === undefined ? {} : { d2l: { crop: d2l } }),
    ...(nyudInput === undefined ? {} : { input: nyudInput }),
    ...(contextClasses === undefined ? {} : { contextClasses }),
    ...(categories === undefined ? {} : { categories }),
    ...(cocoOverlap === undefined ? {} : { overlap: cocoOverlap }),
    ...(lineWidth === undefined ? {} : { lineWidth }),
    ...(range === undefined ? {} : { range }),
  };
}
