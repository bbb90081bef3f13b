import { escapeHtml, htmlTable } from "../../../report/html/page.js";
import { percent } from "../../../report/table.js";
import { compareRuns } from "../../../training/run/compare.js";
import { meanAndSpread } from "../../../training/run/folds.js";
import { RUN_FILES } from "../../../training/run/state/result.js";
import type { Advance } from "../../runs/tend.js";
import { withRuns, writeText } from "./place.js";
import { labelOf, textOf } from "./plan.js";
import { RECORD, readRungs, type TrialReport, writeRecord } from "./record.js";
import { itemsOf, nextRung, type Outcome, type Rung, type Standing, standings } from "./rungs.js";
import { folderOf, type SweepTask, scheduleOf } from "./task.js";

/** What is kept of a sweep that is done. */
export interface SweepResult {
  /** The trials, best first. */
  readonly trials: readonly TrialReport[];
  readonly rungs: readonly Rung[];
  /** The files that were written beside the folders of the trials. */
  readonly files: readonly string[];
}

/**
 * When all items so far are done: adds the next rung, or writes the report. What a rung was made of stays, so that the
 * number of an item means the same for good.
 */
export async function advanceSweep(task: SweepTask, outcomes: readonly Outcome[], items: number): Promise<Advance> {
  const schedule = scheduleOf(task);
  const rungs = await readRungs(task);
  // Whoever wrote it may have died before it told of the items.
  if (itemsOf(rungs, schedule) > items) return { total: itemsOf(rungs, schedule) };
  const next = nextRung(rungs, outcomes, schedule);
  const decided = next ? [...rungs, next] : rungs;
  const running = new Set(next?.trials);
  const ranking = standings(rungs, outcomes, schedule).map((standing) => {
    const report = reportOf(task, rungs, standing);
    return running.has(standing.trial) ? { ...report, state: "running" as const } : report;
  });
  await writeRecord(task, { rungs: decided, ranking });
  if (next) return { total: itemsOf(decided, schedule) };
  const files = [await writeReport(task, ranking), RECORD];
  const result: SweepResult = { trials: ranking, rungs, files };
  return { result };
}

/** What became of a trial by its last rung. */
function reportOf(
  { trials, folds }: SweepTask,
  rungs: readonly Rung[],
  { trial, rung, outcomes, error, score }: Standing,
): TrialReport {
  const { name, settings } = trials[trial] as SweepTask["trials"][number];
  const isComplete = rungs[rung]?.budget === null;
  const values = outcomes.map(({ meanIU }) => meanIU);
  const [, spread] = meanAndSpread(values.map((value) => value ?? Number.NaN));
  const sound = Number.isFinite(score);
  return {
    ...{ name, settings, state: error ? "failed" : isComplete ? "complete" : "pruned", rung: rung + 1 },
    steps: Math.max(...outcomes.map(({ steps }) => steps)),
    ...(sound && { meanIU: score }),
    ...(folds !== undefined && { ...(sound && { spread }), folds: values }),
    seconds: outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    ...(error && { error }),
  };
}

/** More curves than this cannot be told apart. */
const MOST_DRAWN = 16;

async function writeReport(task: SweepTask, ranking: readonly TrialReport[]): Promise<string> {
  const names = new Map(task.trials.map((trial) => [trial.name, trial]));
  const runs = ranking.flatMap(({ name }) =>
    Array.from({ length: task.folds ?? 1 }, (_, run) =>
      folderOf(task, names.get(name) as SweepTask["trials"][number], run),
    ),
  );
  const html = await withRuns(task.out, runs, MOST_DRAWN, async (drawn, root) => {
    const title = `${ranking.length} trials on ${task.data}`;
    const sections = [...rankingSection(ranking), ...failures(ranking), ...drawnSection(task, ranking, drawn.length)];
    return (await compareRuns(drawn, { title, root, sections })).html;
  });
  await writeText(task.out, RUN_FILES.report, html);
  return RUN_FILES.report;
}

function rankingSection(ranking: readonly TrialReport[]): string[] {
  const { header, rows } = rankingTable(ranking);
  return [
    "<h2>Ranking</h2>",
    htmlTable(header, rows),
    `<p class="soft">The best mean IU on the validation images, in per cent. A trial that is pruned was left behind by others after as many steps.</p>`,
  ];
}

/** The trials as the rows of a table, with a column for each setting in which they differ. */
export function rankingTable(ranking: readonly TrialReport[]): { header: string[]; rows: string[][] } {
  const settings = [...new Set(ranking.flatMap((trial) => Object.keys(trial.settings)))];
  const hasFolds = ranking.some(({ folds }) => folds !== undefined);
  const share = (value: number | undefined): string => (value === undefined ? "-" : percent(value));
  return {
    header: ["", ...settings.map(labelOf), "mean IU", ...(hasFolds ? ["+-"] : []), "steps", "state"],
    rows: ranking.map((trial, i) => [
      String(i + 1),
      ...settings.map((name) => textOf(trial.settings[name])),
      ...[share(trial.meanIU), ...(hasFolds ? [share(trial.spread)] : [])],
      ...[String(trial.steps), trial.state],
    ]),
  };
}

function failures(ranking: readonly TrialReport[]): string[] {
  const rows = ranking.flatMap(({ name, error }) => (error ? [[name, error.message]] : []));
  return rows.length > 0 ? ["<h2>Trials that failed</h2>", htmlTable(["trial", "why"], rows)] : [];
}

const drawnSection = ({ folds = 1 }: SweepTask, ranking: readonly TrialReport[], drawn: number): string[] =>
  drawn < ranking.length * folds
    ? [`<p class="soft">${escapeHtml(`The ${drawn} runs of the best trials follow.`)}</p>`]
    : [];
