import { TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { check, type DataReport } from "../../data/check/check.js";
import { contactSheet } from "../../data/check/contactSheet.js";
import { rangeText } from "../../data/decode/pixelScale.js";
import type { DataRemark } from "../../data/files/remarks.js";
import { counted } from "../../data/files/words.js";
import { open } from "../../data/open/open.js";
import { isKept, isSkippable } from "../../data/open/skippable.js";
import { writeWholeFile } from "../../files/write.js";
import { fraction, whole } from "../../options/rules.js";
import { createCheckBar } from "../../progress/quietBar.js";
import { formatTable } from "../../report/table.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { JSON_OUTPUT, WORKERS } from "../flags/common.js";
import { addOpenFlags, openOptions } from "../flags/openFlags.js";
import { printResult } from "../output/output.js";
import { checkSheetFile } from "../output/sheetFile.js";
import { setUpCompose } from "./dataCompose.js";

const OPTIONS = {
  ...JSON_OUTPUT,
  contactSheet: { flag: "--contact-sheet <file>", help: "write a PNG that shows some images with their masks" },
  ...WORKERS,
  seed: {
    flag: "--seed <n>",
    help: "fixes the contact sheet, and the split if the folder has none",
    rule: whole(0),
    fallback: 0,
  },
  validation: {
    flag: "--validation <part>",
    help: "part of the images to validate on if the folder has no split",
    rule: fraction,
    fallback: 0.2,
  },
} as const;

/** Adds the commands of `fcn data`. */
export function setUp(data: Command): void {
  const check = data
    .command("check")
    .description("check all images and masks of a folder before training; the exit code is 0 if all is well, else 1")
    .argument(
      "<dir>",
      "a folder with images/ and masks/, labelme or COCO files, or a published data set, here or in a bucket (s3://)",
    );
  addOpenFlags(addFlags(check, OPTIONS)).action(run);
  setUpCompose(
    data
      .command("compose")
      .description("paste cut-outs (PNG with alpha) on photographs: a folder of images with exact masks to train on"),
  );
}

async function run(dir: string, given: object): Promise<void> {
  const { json, contactSheet: sheet, seed, validation, workers } = givenBy(OPTIONS, given);
  const threads = workers === undefined ? {} : { workers };
  const bar = createCheckBar(json ? process.stderr : process.stdout);
  const how = { ...openOptions(given), ...threads, seed, validation, onProgress: bar.update };
  const opened = await open(dir, how).finally(bar.stop);
  if (sheet !== undefined) await checkSheetFile(sheet, opened);
  const report = await check(opened, { ...threads, onProgress: bar.update }).finally(bar.stop);
  if (sheet !== undefined) await writeWholeFile("data check", sheet, await contactSheet(opened, { seed }));
  await printResult(report, (all) => formatReport(all, sheet), json);
  if (report.ok) return;
  const problems = report.remarks.filter(({ level }) => level === "problem").length;
  throw new TensorError({
    code: "data-problems",
    message: `data check: ${dir} has ${counted(problems, "problem")}`,
    fix: "fix what the lines above report, then check again",
  });
}

/** Further lines of the same kind are counted rather than printed. `--json` has them all. */
const MOST_LINES = 20;

/** If more classes than this have no pixels, they are not listed. */
const MOST_ABSENT = 40;

/** The report as text for people. */
export function formatReport(report: DataReport, sheet?: string): string {
  const { root, layout, classes, splits, remarks, seconds } = report;
  const names = Object.keys(splits);
  const percent = (part: number, whole: number): string => (whole > 0 ? ((100 * part) / whole).toFixed(2) : "-");
  const isPresent = (label: number): boolean => names.some((split) => (splits[split]?.histogram[label] ?? 0) > 0);
  const present = classes.map((_, label) => label).filter(isPresent);
  const absent = classes.length - present.length;
  const shown = absent > MOST_ABSENT ? present : classes.map((_, label) => label);
  const rows = shown.map((label) => [
    `${label} ${classes[label]}`,
    ...names.map((split) => percent(splits[split]?.histogram[label] ?? 0, splits[split]?.pixels ?? 0)),
  ]);
  const voids = ["void", ...names.map((split) => (100 * (splits[split]?.voidShare ?? 0)).toFixed(2))];
  const lines = [
    `${root}: layout ${layout}, ${counted(classes.length, "class")}`,
    ...names.map((split) => describeSplit(split, report)),
    ...describeLevels(report),
    "",
    "Share of the pixels, per cent",
    formatTable({ header: ["class", ...names], rows: [...rows, voids] }),
    ...(shown.length < classes.length ? [`${absent} classes without a pixel are left out of the table`] : []),
    "",
    ...describeRemarks(remarks),
  ];
  if (sheet !== undefined) lines.push(`wrote ${sheet}`);
  const count = (level: DataRemark["level"]): number => remarks.filter((remark) => remark.level === level).length;
  const problems = remarks.filter(({ level }) => level === "problem");
  if (problems.length > 0 && problems.every(({ code }) => isSkippable(code))) {
    const shapes = problems.some(({ code }) => isKept(code));
    const cost = shapes ? "; if it is a shape, the area that it covers counts as background" : "";
    lines.push(`with --skip-bad, fcn train and fcn eval leave out what has these problems and use the rest${cost}`);
  }
  lines.push(
    `${counted(count("problem"), "problem")}, ${counted(count("warning"), "warning")} (${seconds.toFixed(1)} s)`,
  );
  return `${lines.join("\n")}\n`;
}

function describeSplit(name: string, { splits }: DataReport): string {
  const summary = splits[name];
  if (!summary) return name;
  const { samples, smallest, largest } = summary;
  const [from, to] = [smallest.join("x"), largest.join("x")];
  return `${name}: ${counted(samples, "image")}, ${from === to ? from : `${from} to ${to}`} (height x width)`;
}

function describeLevels({ levels }: DataReport): string[] {
  return Object.entries(levels).map(([depth, { min, max, distinct }]) => {
    return `values of the images: ${depth}, ${rangeText([min, max])}${distinct === undefined ? "" : `, ${distinct} different values`}`;
  });
}

function describeRemarks(remarks: readonly DataRemark[]): string[] {
  const told = new Map<string, number>();
  const lines: string[] = [];
  for (const { level, code, file, text, commandText = text } of remarks) {
    const count = (told.get(code) ?? 0) + 1;
    told.set(code, count);
    if (count <= MOST_LINES) lines.push(`${level.padEnd(7)}  ${file}: ${commandText}`);
  }
  for (const [code, count] of told) {
    if (count > MOST_LINES) lines.push(`         and ${count - MOST_LINES} more of "${code}" (--json lists all)`);
  }
  return lines;
}
