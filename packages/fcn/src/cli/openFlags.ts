import type { Command } from "commander";
import { NYUD_MEANS, type NyudInput } from "../data/layouts/means.js";
import type { OpenOptions } from "../data/open.js";
import { parseChoice, parseSize, parseWhole } from "./options.js";

/** The flags of every command that opens a folder of labelled pictures: what the published sets leave open. */
export interface OpenFlags {
  readonly sbd?: string;
  readonly voc?: string;
  readonly year?: number;
  readonly d2l?: [height: number, width: number];
  readonly nyudInput?: NyudInput;
  readonly contextClasses?: number;
}

const NYUD_INPUTS = Object.keys(NYUD_MEANS) as NyudInput[];

export function addOpenFlags(command: Command): Command {
  return command
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
    );
}

export function openOptions({ sbd, voc, year, d2l, nyudInput, contextClasses }: OpenFlags): OpenOptions {
  return {
    ...(sbd === undefined ? {} : { sbd }),
    ...(voc === undefined ? {} : { voc }),
    ...(year === undefined ? {} : { year }),
    ...(d2l === undefined ? {} : { d2l: { crop: d2l } }),
    ...(nyudInput === undefined ? {} : { input: nyudInput }),
    ...(contextClasses === undefined ? {} : { contextClasses }),
  };
}
