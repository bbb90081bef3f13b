/** The comparison as a chart: for each row a point for each peer, on a logarithmic axis. */
import { importPeer } from "../peers/load.mjs";
import { PEERS } from "../sides/index.mjs";
import { groupsOf } from "./report.mjs";

const COLOURS = ["#d95f02", "#7570b3", "#1b9e77", "#bdbdbd", "#969696", "#636363"];

/**
 * One value for each row and peer that agrees.
 *
 * @returns {{ work: string, group: string, peer: string, ratio: number }[]}
 */
export function chartValues(rows) {
  return rows.flatMap(({ title, group, peers }) =>
    Object.entries(peers)
      .filter(([, { agrees }]) => agrees)
      .map(([name, { ratio }]) => ({ work: title, group, peer: PEERS[name].title, ratio })),
  );
}

function specification(values, groups) {
  const peers = Object.values(PEERS).map(({ title }) => title);
  const shown = peers.filter((title) => values.some(({ peer }) => peer === title));
  const ratio = {
    field: "ratio",
    type: "quantitative",
    scale: { type: "log" },
    axis: { title: "time of the peer / ours", grid: true },
  };
  const points = {
    mark: { type: "point", filled: true, size: 55, opacity: 0.9 },
    encoding: {
      y: { field: "work", type: "nominal", sort: null, axis: { title: null, labelLimit: 900, grid: true } },
      x: ratio,
      color: {
        field: "peer",
        type: "nominal",
        sort: shown,
        scale: { domain: shown, range: shown.map((title) => COLOURS[peers.indexOf(title)]) },
        legend: { title: null, orient: "top", labelLimit: 400 },
      },
    },
  };
  const equal = { mark: { type: "rule", strokeDash: [4, 3] }, encoding: { x: { datum: 1 } } };
  return {
    background: "white",
    data: { values },
    facet: {
      row: {
        field: "group",
        type: "nominal",
        sort: groups,
        header: { title: null, labelOrient: "top", labelAnchor: "start", labelFontWeight: "bold" },
      },
    },
    spec: { width: 520, height: { step: 17 }, layer: [equal, points] },
    resolve: { scale: { y: "independent" } },
    config: { axis: { labelFontSize: 11 }, font: "sans-serif" },
  };
}

/** @returns {Promise<string>} an SVG image */
export async function drawChart(rows) {
  const [vega, vegaLite] = [await importPeer("vega"), await importPeer("vega-lite")];
  const { spec } = vegaLite.compile(specification(chartValues(rows), groupsOf(rows)));
  return `${await new vega.View(vega.parse(spec), { renderer: "none" }).toSVG()}\n`;
}
