/** The comparison as a table and as a record. */
import { digits, markdownReport, markdownTable, textTable } from "./table.mjs";

const HEADER = ["operation", "ours, ms", "tfjs, ms", "tfjs / ours", "n", "difference"];

const cells = (row) => [
  row.title,
  digits(row.oursMs),
  digits(row.tfjsMs),
  `${digits(row.ratio)}x`,
  String(row.repeats),
  `${row.relativeError.toExponential(1)}${row.agree ? "" : " DISAGREE"}`,
];

/** Geometric mean of positive numbers; NaN when there are none. */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Geometric mean and worst row over the rows whose outputs agree, and how many do not. */
export function summarize(rows) {
  const valid = rows.filter(({ agree }) => agree);
  const worst = valid.reduce((low, row) => (low && low.ratio <= row.ratio ? low : row), undefined);
  return {
    geometricMean: geometricMean(valid.map(({ ratio }) => ratio)),
    worst: worst && { title: worst.title, ratio: worst.ratio },
    disagreeing: rows.length - valid.length,
  };
}

function headLines({ date, adapter, versions, repeats }) {
  const { fcn, tfjs, webgpu, node } = versions;
  return [
    `adapter: ${adapter.description} (${adapter.vendor} ${adapter.architecture}, device ${adapter.device})`,
    `versions: fcn ${fcn}, tfjs-backend-webgpu ${tfjs}, webgpu (Dawn) ${webgpu}, Node ${node}; ${date}`,
    `times: median ms of n interleaved repetitions (${repeats} asked for), inputs on the GPU, outputs freed; difference: largest, relative to the largest value`,
  ];
}

const foot = ({ geometricMean: mean, worst, disagreeing }) => [
  `geometric mean: ${digits(mean)} times tfjs-backend-webgpu; worst row: ${worst ? `${worst.title}, ${digits(worst.ratio)}x` : "none"}`,
  ...(disagreeing ? [`${disagreeing} row(s) DISAGREE and are left out of the mean`] : []),
];

export function asText(record) {
  const table = textTable(HEADER, record.rows.map(cells));
  return [...headLines(record), "", table, "", ...foot(record.summary)].join("\n");
}

export function asMarkdown(record) {
  const notes = [...new Set(record.rows.filter(({ note }) => note).map(({ title, note }) => `* ${title}: ${note}`))];
  const table = markdownTable(HEADER, record.rows.map(cells));
  const rest = [table, "", ...foot(record.summary), "", ...notes];
  return markdownReport("fcn against tfjs-backend-webgpu", "npm run bench", headLines(record), rest);
}
