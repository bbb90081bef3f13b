import type { Command } from "commander";
import { type CompositeSource, composeEach } from "../../data/composite/compose.js";
import { loadComposite } from "../../data/composite/load.js";
import { splitComposite } from "../../data/composite/split.js";
import { counted, firstLines } from "../../data/files/words.js";
import { writeFolder } from "../../data/folder/write.js";
import { vocColours } from "../../labels/colours.js";
import { fraction, whole } from "../../options/rules.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { checkFolder } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { foldersByName, skipPattern } from "../flags/readers.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  cutouts: {
    flag: "--cutouts <class=dir,...>",
    help: "folders with the cut-outs of one class; repeat it for each class",
    reader: foldersByName,
    isRequired: true,
  },
  backgrounds: { flag: "--backgrounds <path...>", help: "folders of photographs, or single files", isRequired: true },
  out: {
    flag: "--out <dir>",
    help: "folder to make, with images/, masks/, classes.json and splits/",
    isRequired: true,
  },
  samples: { flag: "--samples <n>", help: "number of training images", rule: whole(1), fallback: 600 },
  validation: { flag: "--validation <n>", help: "number of validation images", rule: whole(1), fallback: 80 },
  size: { flag: "--size <n>", help: "side of the square images in pixels", rule: whole(8), fallback: 256 },
  heldBack: {
    flag: "--held-back <part>",
    help: "part of the cut-outs and photographs that only validation images show",
    rule: fraction,
    fallback: 0.3,
  },
  voidBorder: {
    flag: "--void-border <n>",
    help: "pixels around each outline that become void",
    rule: whole(0),
    fallback: 0,
  },
  skip: {
    flag: "--skip <pattern>",
    help: "leave out files whose path matches this regular expression",
    reader: skipPattern,
  },
  seed: { flag: "--seed <n>", help: "fixes the split and the images", rule: whole(0), fallback: 0 },
  ...JSON_OUTPUT,
} as const;

/** Adds the flags and the action of `fcn data compose`. */
export const setUpCompose = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const { cutouts, backgrounds, out, heldBack, skip, json, ...flags } = givenBy(OPTIONS, given);
  await checkFolder("--out", out);
  const source = await loadComposite({ cutouts, backgrounds, ...(skip ? { skip: (path) => skip.test(path) } : {}) });
  const split = splitComposite(source, { validation: heldBack, seed: flags.seed });
  const { size, voidBorder, seed } = flags;
  const samples = (from: CompositeSource, count: number, offset: number) =>
    composeEach(from, count, { size, voidBorder, seed: seed + offset });
  const images = await writeFolder(out, {
    classes: source.classes,
    palette: vocColours().slice(0, source.classes.length),
    splits: { train: samples(split.train, flags.samples, 0), val: samples(split.validation, flags.validation, 1) },
  });
  const sources = { train: countsOf(split.train), val: countsOf(split.validation) };
  const summary = { out, classes: source.classes, images, sources, leftOut: source.leftOut };
  await printResult(summary, describe, json);
}

interface Counts {
  readonly cutouts: Readonly<Record<string, number>>;
  readonly backgrounds: number;
}

function countsOf({ classes, cutouts, backgrounds }: CompositeSource): Counts {
  const entries = classes.slice(1).map((name, i) => [name, cutouts.filter(({ label }) => label === i + 1).length]);
  return { cutouts: Object.fromEntries(entries) as Record<string, number>, backgrounds: backgrounds.length };
}

interface Summary {
  readonly out: string;
  readonly images: Readonly<Record<string, number>>;
  readonly sources: Readonly<Record<"train" | "val", Counts>>;
  readonly leftOut: readonly { readonly file: string; readonly reason: string }[];
}

const MOST_LINES = 10;

function describe({ out, images, sources: { train, val }, leftOut }: Summary): string {
  const classes = Object.entries(train.cutouts).map(([name, count]) => `${name} ${count}/${val.cutouts[name]}`);
  const lines = [
    ...firstLines(
      leftOut.map(({ file, reason }) => `left out ${file}: ${reason}`),
      MOST_LINES,
      " left out (--json lists all)",
    ),
    `cut-outs to train on/held back: ${classes.join(", ")}; photographs ${train.backgrounds}/${val.backgrounds}`,
    `wrote ${counted(images.train ?? 0, "image")} to train on and ${images.val} to validate on: ${out}`,
  ];
  return `${lines.join("\n")}\n`;
}
