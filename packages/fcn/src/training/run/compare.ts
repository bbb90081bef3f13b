import { io, TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { type ChartSeries, lineChart } from "../../report/html/chart.js";
import { escapeHtml, htmlPage, htmlTable } from "../../report/html/page.js";
import { scoreTable } from "../../report/table.js";
import type { Configuration } from "./configuration.js";
import { checkpointFile } from "./state/checkpoint.js";
import type { History, Validation } from "./state/history.js";
import { readState } from "./state/readState.js";
import { RUN_FILES } from "./state/result.js";

const { join, basename, relative, resolve } = nodeModule("compareRuns", "node:path");

/** What the last checkpoint of a run says. */
export interface ComparedRun {
  /** The folder as it was given. */
  readonly folder: string;
  /** The last part of the folder's path, or all of it where two runs would have one name. */
  readonly name: string;
  readonly step: number;
  /** The last reading of the loss. */
  readonly loss: number;
  /** The validation with the highest mean IU, if there was one. */
  readonly best: Pick<Validation, "step" | "scores"> | undefined;
  readonly configuration: Configuration;
}

/** The result of {@link compareRuns}. */
export interface RunComparison {
  readonly runs: readonly ComparedRun[];
  /** The settings that are not the same in all runs: their values in the order of the runs. */
  readonly differences: Readonly<Record<string, readonly unknown[]>>;
  /** A page with the curves of all runs, their scores and differences. */
  readonly html: string;
}

/**
 * Reads the last checkpoints of runs, and draws them together (Node). Throws `missing-data` for a folder that holds no
 * checkpoint, and `corrupt-file` for one that is damaged.
 */
export async function compareRuns(folders: readonly string[], heading?: Heading): Promise<RunComparison> {
  const root = heading?.root;
  const names = folders.map((folder) => (root === undefined ? basename(resolve(folder)) : relative(root, folder)));
  const isShared = new Set(names).size < names.length;
  const read = await Promise.all(
    folders.map(async (folder, i) => ({
      folder,
      name: isShared ? folder : (names[i] as string),
      ...(await readRun(folder)),
    })),
  );
  const runs = read.map(({ history, ...run }): ComparedRun => {
    const { best, readings } = history;
    const { step = 0, loss = Number.NaN } = readings.at(-1) ?? {};
    return { ...run, step, loss, best: best && { step: best.step, scores: best.scores } };
  });
  const differences = differencesOf(runs.map(({ configuration }) => configuration));
  const histories = read.map(({ name, history }) => ({ name, history }));
  return { runs, differences, html: pageOf(runs, differences, histories, heading) };
}

/** The settings and the measurements of a run. Throws as {@link compareRuns}. */
export async function readRun(folder: string): Promise<{ configuration: Configuration; history: History }> {
  const file = await checkpointFile(join(folder, RUN_FILES.checkpoint));
  if (file === undefined) {
    throw new TensorError({
      code: "missing-data",
      message: `${folder}: there is no checkpoint of a run in it`,
      fix: {
        code: "name folders that trainRun wrote",
        command: "name folders that `fcn train --out` wrote",
      },
    });
  }
  const { configuration, history } = readState(file, await io.readSafetensorsMetadata(file));
  return { configuration, history };
}

function differencesOf(all: readonly Configuration[]): Record<string, readonly unknown[]> {
  const names = [...new Set(all.flatMap((configuration) => Object.keys(configuration)))].sort();
  const rows = names.map((name) => [name, all.map((configuration) => configuration[name])] as const);
  return Object.fromEntries(
    rows.filter(([, values]) => new Set(values.map((value) => JSON.stringify(value))).size > 1),
  );
}

/** What a page begins with. */
export interface Heading {
  readonly title: string;
  /** HTML after the title. */
  readonly sections: readonly string[];
  /** A folder above all runs, whose names are then their paths below it. */
  readonly root?: string;
}

interface Named {
  readonly name: string;
  readonly history: History;
}

/** Apart in hue and, for those who see few hues, in lightness. */
const COLOURS = ["#d1603d", "#3d7dd1", "#2e8b57", "#8e5bb5", "#b8860b", "#4a5664", "#c2458b", "#159a9c"];

const lossesOf = ({ validations }: History): ChartSeries["points"] =>
  validations.flatMap(({ step, loss }) => (loss === undefined ? [] : [[step, loss] as const]));

function pageOf(
  runs: readonly ComparedRun[],
  differences: RunComparison["differences"],
  histories: readonly Named[],
  { title, sections }: Heading = { title: `${runs.length} runs side by side`, sections: [] },
): string {
  const series = (points: (history: History) => ChartSeries["points"]): ChartSeries[] =>
    histories
      .map(({ name, history }, i) => ({
        name,
        colour: COLOURS[i % COLOURS.length] as string,
        dashed: i >= COLOURS.length,
        points: points(history),
      }))
      .filter(({ points }) => points.length > 0);
  const chart = (title: string, points: (history: History) => ChartSeries["points"], dots = false): string[] => {
    const shown = series(points);
    return shown.length > 0 ? [lineChart({ title, xLabel: "step", series: shown, dots })] : [];
  };
  const scored = runs.flatMap(({ name, best }) => (best ? [{ name, scores: best.scores }] : []));
  const { header, rows } = scoreTable(scored, []);
  const text = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  const settings = Object.entries(differences).map(([name, values]) => [name, ...values.map(text)]);
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    ...sections,
    `<div class="charts">`,
    ...chart("Training loss", ({ readings }) => readings.map(({ step, loss }) => [step, loss])),
    ...chart("Validation loss", lossesOf, true),
    ...chart("Mean IU", ({ validations }) => validations.map(({ step, scores }) => [step, scores.meanIU]), true),
    ...chart("Learning rate", ({ readings }) => readings.map(({ step, learningRate }) => [step, learningRate])),
    "</div>",
    ...(scored.length > 0
      ? ["<h2>Best scores on the validation images</h2>", htmlTable(["run", ...header.slice(1)], rows)]
      : []),
    "<h2>What differs</h2>",
    settings.length > 0
      ? htmlTable(["setting", ...runs.map(({ name }) => name)], settings)
      : `<p class="soft">All settings are the same.</p>`,
  ];
  return htmlPage(title, body.join("\n"));
}
