/** The comparison as a table and as a record. */
import { PEERS } from "../sides/index.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./table.mjs";

/** Geometric mean of positive numbers; NaN when there are none. */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** The peers that a row of `rows` has, in the order of the table. */
const peersOf = (rows) => Object.keys(PEERS).filter((name) => rows.some(({ peers }) => peers[name]));

export const groupsOf = (rows) => [...new Set(rows.map(({ group }) => group))];

/** Of one group and one peer: geometric mean and worst row where outputs agree, and the rows where they do not. */
function summarizePeer(rows, group, peer) {
  const entries = rows
    .filter((row) => row.group === group && row.peers[peer])
    .map(({ title, peers }) => ({ title, ...peers[peer] }));
  const valid = entries.filter(({ agrees }) => agrees);
  const worst = valid.reduce((low, row) => (low && low.ratio <= row.ratio ? low : row), undefined);
  return {
    group,
    peer,
    rows: valid.length,
    geometricMean: geometricMean(valid.map(({ ratio }) => ratio)),
    worst: worst && { title: worst.title, ratio: worst.ratio },
    disagreeing: entries.filter(({ agrees }) => !agrees).map(({ title }) => title),
  };
}

/** One entry for each group and each peer that it has. */
export function summarize(rows) {
  return groupsOf(rows).flatMap((group) => {
    const ofGroup = rows.filter((row) => row.group === group);
    return peersOf(ofGroup).map((peer) => summarizePeer(rows, group, peer));
  });
}

const percent = (share) => (share === undefined ? "" : `${digits(100 * share)} %`);

function ratioCell(peer) {
  if (!peer) return "";
  return peer.agrees ? `${digits(peer.ratio)}x` : "DISAGREES";
}

/** The table of a group: our time, its share of the peak, and a ratio for each peer. */
function groupTable(rows, toTable) {
  const names = peersOf(rows);
  const shares = rows.some(({ share }) => share !== undefined);
  const header = [
    "work",
    "ours, ms",
    ...(shares ? ["of the peak"] : []),
    ...names.map((name) => `${PEERS[name].short} / ours`),
    "n",
    "difference",
  ];
  const cells = (row) => [
    row.title,
    digits(row.ms.ours ?? row.ms.host),
    ...(shares ? [percent(row.share)] : []),
    ...names.map((name) => ratioCell(row.peers[name])),
    String(row.repeats),
    largestDifference(Object.values(row.peers)),
  ];
  return toTable(header, rows.map(cells));
}

/** Of all peers; nothing where there is none. */
const largestDifference = (peers) =>
  peers.length > 0 ? Math.max(...peers.map(({ difference }) => difference)).toExponential(1) : "";

const SUMMARY = ["group", "peer", "rows", "geometric mean", "worst", "worst row"];
const summaryCells = ({ group, peer, rows, geometricMean: mean, worst }) => [
  group,
  PEERS[peer].title,
  String(rows),
  `${digits(mean)}x`,
  worst ? `${digits(worst.ratio)}x` : "",
  worst?.title ?? "",
];

const MIB = 1024 * 1024;
const FRESH = ["process", "side", "seconds", "/ ours", "peak memory, MiB", "/ ours", ""];

const freshCells = ({ what, sides }) =>
  Object.entries(sides).map(([name, { ms, peakBytes, agrees }]) => [
    what,
    PEERS[name]?.title ?? "fcn",
    ms === undefined ? "" : digits(ms / 1000),
    ms === undefined || name === "ours" ? "" : `${digits(ms / sides.ours.ms)}x`,
    digits(peakBytes / MIB),
    name === "ours" ? "" : `${digits(peakBytes / sides.ours.peakBytes)}x`,
    agrees ? "" : "DISAGREES",
  ]);

const freshTable = ({ fresh = [] }, toTable) =>
  fresh.length > 0 ? [toTable(FRESH, fresh.flatMap(freshCells)), ""] : [];

function headLines({ date, adapter, peak, versions, missing, repeats }) {
  const { fcn, webgpu, node, ...peers } = versions;
  const others = Object.entries(peers).map(([name, version]) => `${PEERS[name].title} ${version}`);
  return [
    `adapter: ${adapter.description} (${adapter.vendor} ${adapter.architecture}, device ${adapter.device})`,
    `its peak, measured: ${digits(peak.flops / 1e9)} GFLOP/s of multiply-adds, ${digits(peak.bytes / 1e9)} GB/s of a copy`,
    `versions: fcn ${fcn}, webgpu (Dawn) ${webgpu}, Node ${node}; ${others.join(", ")}; ${date}`,
    ...Object.entries(missing).map(([name, reason]) => `${PEERS[name].title} is left out: ${reason}`),
    `times: median ms of n repetitions in turn (${repeats} asked for); difference: largest of all peers, relative to the largest value`,
    "of the peak: the least time that arithmetic or memory traffic could take at that peak, over our time",
  ];
}

const disagreements = ({ rows }) =>
  rows.flatMap(({ title, peers }) =>
    Object.entries(peers)
      .filter(([, { agrees }]) => !agrees)
      .map(
        ([name, { difference }]) =>
          `${title}: ${PEERS[name].title} DISAGREES by ${difference.toExponential(1)}, and is left out`,
      ),
  );

const notesOf = ({ rows }) => [
  ...new Set(
    rows.flatMap(({ title, note, without = {} }) => [
      ...(note ? [`${title}: ${note}`] : []),
      ...Object.entries(without).map(([name, reason]) => `${title}: not in ${PEERS[name].title}, which ${reason}`),
    ]),
  ),
];

export function asText(record) {
  const tables = groupsOf(record.rows).flatMap((group) => [
    groupTable(
      record.rows.filter((row) => row.group === group),
      textTable,
    ),
    "",
  ]);
  const summary = textTable(SUMMARY, record.summary.map(summaryCells));
  const fresh = freshTable(record, textTable);
  return [...headLines(record), "", ...tables, ...fresh, summary, ...disagreements(record)].join("\n");
}

export function asMarkdown(record, chart) {
  const tables = groupsOf(record.rows).flatMap((group) => [
    `## ${group}`,
    "",
    groupTable(
      record.rows.filter((row) => row.group === group),
      markdownTable,
    ),
    "",
  ]);
  const fresh = freshTable(record, markdownTable);
  const rest = [
    ...(chart ? [`![Time of each peer over ours, row by row](${chart})`, ""] : []),
    markdownTable(SUMMARY, record.summary.map(summaryCells)),
    "",
    ...tables,
    ...(fresh.length > 0 ? ["## fresh", "", ...fresh] : []),
    ...disagreements(record).map((line) => `* ${line}`),
    ...notesOf(record).map((line) => `* ${line}`),
  ];
  return markdownReport("fcn beside its peers", "npm run bench", headLines(record), rest);
}
