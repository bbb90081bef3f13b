import { escapeHtml } from "./html.js";

/** A share from 0 to 1 with a name; NaN has no bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** A CSS colour. */
  readonly colour: string;
}

const WIDTH = 640;
const LINE = 24;
const NAMES = 170;

/** Horizontal bars of shares as one SVG element, in their order; each tells its value in per cent. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = 36 + bars.length * LINE;
  const full = WIDTH - NAMES - 70;
  const lines = bars.map(({ name, value, colour }, i) => {
    const y = 34 + i * LINE;
    const length = Number.isNaN(value) ? 0 : value * full;
    const text = Number.isNaN(value) ? "does not occur" : (100 * value).toFixed(1);
    const bar = `<rect x="${NAMES}" y="${y}" width="${length.toFixed(1)}" height="${LINE - 8}" rx="2" fill="${colour}" stroke="currentColor" stroke-opacity=".25"/>`;
    const label = `<text x="${NAMES - 8}" y="${y + 13}" text-anchor="end">${escapeHtml(name)}</text>`;
    return `${label}${bar}<text x="${(NAMES + length + 7).toFixed(1)}" y="${y + 13}">${text}</text>`;
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}" class="chart" style="max-width:760px">`,
    `<text x="14" y="18" class="chart-title">${escapeHtml(title)}</text>`,
    ...lines,
    "</svg>",
  ].join("\n");
}
