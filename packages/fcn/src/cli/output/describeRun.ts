import { firstOf } from "@fcn/tensor/internal";
import { counted } from "../../data/files/words.js";
import { formatTable, percent, type Shares, scoreTable } from "../../report/table.js";
import type { TrainFoldsResult, TrainRunResult } from "../../training/run/index.js";

/** Share of the steps' time from which waiting is mentioned. */
const MUCH_WAITING = 0.05;

function describeLeftOut({ leftOut = [] }: Pick<Partial<TrainRunResult>, "leftOut">): string {
  const names = leftOut.map(({ split, name }) => `${name} of ${split}`);
  return names.length === 0 ? "" : `${counted(names.length, "image")} left out: ${firstOf(names, 5)}\n`;
}

function describeWaiting({ stepping, waited }: TrainRunResult): string {
  const share = stepping > 0 ? waited / stepping : 0;
  if (share <= MUCH_WAITING) return "";
  return `training waited for images ${percent(share)} % of its time: decode in more threads (--workers), or make the files smaller\n`;
}

/** With more classes than this, each has its own line. */
const MOST_COLUMNS = 8;

function scoresOf({ step, scores }: NonNullable<TrainRunResult["best"]>, classes: readonly string[]): string {
  const isLong = classes.length > MOST_COLUMNS;
  const four = formatTable(scoreTable([{ name: `step ${step}`, scores }], isLong ? [] : classes));
  if (!isLong) return four;
  const rows = classes.map((name, label) => [`${label} ${name}`, percent(scores.perClassIU[label] ?? Number.NaN)]);
  return `${four}\n\n${formatTable({ header: ["class", "IU"], rows })}`;
}

/** The result of a run as text for people. */
export function describeRun(result: TrainRunResult): string {
  const { best, classes, files, seconds, adapter } = result;
  const table = best ? scoresOf(best, classes) : "";
  const further = Object.entries(best?.heads ?? {}).map(([name, scores]) => {
    return `\nThe head ${name}\n${formatTable(scoreTable([{ name: `step ${best?.step}`, scores }], []))}\n`;
  });
  const head = best
    ? `\nScores of the best weights on the validation images, per cent\n${table}\n${further.join("")}`
    : "";
  const found = best ? `mean IU ${percent(best.scores.meanIU)} %, ` : "";
  return `${head}\n${found}${Math.round(seconds)} s, on ${adapter.description}\n${describeWaiting(result)}${describeLeftOut(result)}wrote\n${files.map((file) => `  ${file}`).join("\n")}\n`;
}

/** The result of a cross-validation as text for people. */
export function describeFolds({ folds, summary, files, seconds }: TrainFoldsResult): string {
  if (summary === undefined) return "";
  const rows = folds.flatMap(({ best }, i) => (best ? [{ name: `fold ${i + 1}`, scores: best.scores as Shares }] : []));
  const { mean, spread, pooled } = summary;
  const all = [
    ...rows,
    { name: "mean", scores: mean },
    { name: "standard deviation", scores: spread },
    { name: "all pixels", scores: pooled },
  ];
  const classes = folds[0]?.classes ?? [];
  const table = formatTable(scoreTable(all, classes.length > MOST_COLUMNS ? [] : classes));
  const found = `mean IU ${percent(mean.meanIU)} +- ${percent(spread.meanIU)} %`;
  return `\nScores of the best weights of each fold, per cent\n${table}\n\n${found}, ${Math.round(seconds)} s\nwrote\n${files.map((file) => `  ${file}`).join("\n")}\n`;
}
