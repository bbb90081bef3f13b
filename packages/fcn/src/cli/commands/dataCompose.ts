import type { Command } from "commander";
import { type CompositeSource, composeEach } from "../../data/composite/compose.js";
import { loadComposite } from "../../data/composite/load.js";
import { splitComposite } from "../../data/composite/split.js";
import { counted, firstLines } from "../../data/files/words.js";
import { writeFolder } from "../../data/folder/write.js";
import { vocColours } from "../../labels/colours.js";
import { fraction, whole } from "../../options/rules.js";
import { checkFolder, readerOf } from "../flags/options.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

interface ComposeFlags {
  readonly cutouts: Readonly<Record<string, string[]>>;
  readonly backgrounds: string[];
  readonly out: string;
  readonly samples: number;
  readonly validation: number;
  readonly size: number;
  readonly heldBack: number;
  readonly voidBorder: number;
  readonly skip?: RegExp;
  readonly seed: number;
  readonly json?: boolean;
}

export function registerCompose(data: Command): void {
  data
    .command("compose")
    .description("paste cut-outs (PNG with alpha) on photographs: images with exact masks, as a folder to train on")
    .requiredOption("--cutouts <class=dir,...>", "folders with the cut-outs of a class; once a class", addClass)
    .requiredOption("--backgrounds <path...>", "folders of photographs, or single ones")
    .requiredOption("--out <dir>", "folder to make: images/, masks/, classes.json, splits/")
    .option("--samples <n>", "images to train on", readerOf("--samples", whole(1)), 600)
    .option("--validation <n>", "images to validate on", readerOf("--validation", whole(1)), 80)
    .option("--size <n>", "side of the square images in pixels", readerOf("--size", whole(8)), 256)
    .option(
      "--held-back <part>",
      "part of the cut-outs and photographs that only validation images show",
      readerOf("--held-back", fraction),
      0.3,
    )
    .option("--void-border <n>", "pixels around each outline that become void", readerOf("--void-border", whole(0)), 0)
    .option("--skip <pattern>", "leave out files whose path matches this regular expression", parsePattern)
    .option("--seed <n>", "fixes the division and the images", readerOf("--seed", whole(0)), 0)
    .option("--json", "print one JSON object")
    .action(run);
}

async function run({ cutouts, backgrounds, out, heldBack, skip, json, ...flags }: ComposeFlags): Promise<void> {
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

/** Collects `bird=stamps/birds,stamps/ducks` by class. */
function addClass(value: string, before: Record<string, string[]> = {}): Record<string, string[]> {
  const [, name, list] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (name === undefined || list === undefined)
    throw new UsageError(`--cutouts is "${value}"`, "give a class and its folders, such as bird=stamps/birds");
  return { ...before, [name]: [...(before[name] ?? []), ...list.split(",")] };
}

function parsePattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw new UsageError(`--skip is "${value}": ${(error as Error).message}`, "give a regular expression");
  }
}
