import { escapeHtml } from "./page.js";

export interface ChartSeries {
  readonly name: string;
  /** A CSS colour. */
  readonly colour: string;
  /** [x, y] pairs in ascending order of x. */
  readonly points: readonly (readonly [number, number])[];
  readonly dashed?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly ChartSeries[];
  /** Marks every point with a dot, for series with few points. */
  readonly dots?: boolean;
  /** Fixed bounds of the y axis. Default: the range of the data, extended to round numbers. */
  readonly yBounds?: readonly [number, number];
}

const WIDTH = 560;
const HEIGHT = 280;
const LEGEND_LINE = 16;
const MARGIN = { left: 48, right: 14, top: 58, bottom: 40 };

interface Scale {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

/** Draws a line chart as one self-contained SVG element; text and axes take the page's colour. */
export function lineChart(options: ChartOptions): string {
  const points = options.series.flatMap((series) => series.points);
  const x = makeScale(
    points.map((p) => p[0]),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const { svg, more } = legend(options.series);
  const y = makeScale(options.yBounds ?? points.map((p) => p[1]), [HEIGHT - MARGIN.bottom, MARGIN.top]);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + more}" role="img" aria-label="${escapeHtml(options.title)}" class="chart">`,
    `<text x="${MARGIN.left - 34}" y="18" class="chart-title">${escapeHtml(options.title)}</text>`,
    svg,
    `<g transform="translate(0 ${more})">`,
    axes(x, y, options.xLabel),
    ...options.series.map((series) => line(series, x, y, options.dots ?? false)),
    "</g></svg>",
  ].join("\n");
}

/** Round bounds that enclose all values, and the map from values to pixels. */
function makeScale(values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const finite = values.filter(Number.isFinite);
  const low = finite.length > 0 ? Math.min(...finite) : 0;
  const high = finite.length > 0 ? Math.max(...finite) : 1;
  const step = roundStep((high - low || 1) / 5);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const place = (value: number): number => from + ((value / step - first) / (last - first)) * (to - from);
  return { ticks, place };
}

/** The smallest of 1, 2 or 5 times a power of ten that is at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((m) => m * power >= rough * 0.999) ?? 10) * power;
}

function axes(x: Scale, y: Scale, xLabel: string): string {
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const rows = y.ticks.map((tick) => {
    const at = y.place(tick).toFixed(1);
    return `<line x1="${MARGIN.left}" x2="${right}" y1="${at}" y2="${at}" class="grid"/><text x="${MARGIN.left - 7}" y="${at}" dy="4" text-anchor="end">${label(tick)}</text>`;
  });
  const columns = x.ticks.map(
    (tick) => `<text x="${x.place(tick).toFixed(1)}" y="${bottom + 17}" text-anchor="middle">${label(tick)}</text>`,
  );
  const name = `<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text>`;
  return [...rows, ...columns, name].join("\n");
}

function label(tick: number): string {
  return String(Number(tick.toPrecision(6)));
}

function line(series: ChartSeries, x: Scale, y: Scale, dots: boolean): string {
  const places = series.points
    .filter((p) => p.every(Number.isFinite))
    .map(([px, py]) => `${x.place(px).toFixed(1)},${y.place(py).toFixed(1)}`);
  const dash = series.dashed ? ' stroke-dasharray="5 4"' : "";
  const marks = dots
    ? places.map((p) => `<circle cx="${p.split(",")[0]}" cy="${p.split(",")[1]}" r="3" fill="${series.colour}"/>`)
    : [];
  return `<polyline points="${places.join(" ")}" fill="none" stroke="${series.colour}" stroke-width="2" stroke-linejoin="round"${dash}/>${marks.join("")}`;
}

interface Legend {
  readonly svg: string;
  /** Height of the lines after the first. */
  readonly more: number;
}

function legend(series: readonly ChartSeries[]): Legend {
  const first = MARGIN.left - 34;
  let [left, top] = [first, 36];
  const entries = series.map(({ name, colour, dashed }) => {
    const width = 34 + name.length * 7;
    if (left > first && left + width > WIDTH) [left, top] = [first, top + LEGEND_LINE];
    const at = left;
    left += width;
    const dash = dashed ? ' stroke-dasharray="5 4"' : "";
    return `<line x1="${at}" x2="${at + 16}" y1="${top}" y2="${top}" stroke="${colour}" stroke-width="3"${dash}/><text x="${at + 21}" y="${top + 4}">${escapeHtml(name)}</text>`;
  });
  return { svg: entries.join(""), more: top - 36 };
}
