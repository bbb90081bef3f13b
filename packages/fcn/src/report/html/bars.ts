import { escapeHtml } from "./page.js";

/** A named share from 0 to 1; NaN has no bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** A CSS colour. */
  readonly colour: string;
}

const WIDTH = 640;
const LINE = 24;
/** Bounds of the space for names, and its approximate width per letter, in SVG units. */
const NAMES = { least: 170, most: 300, letter: 7.5 };

/** Draws horizontal bars in order as one SVG element; each shows its value in per cent. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = 36 + bars.length * LINE;
  const longest = Math.max(0, ...bars.map(({ name }) => [...name].length));
  const start = Math.min(NAMES.most, Math.max(NAMES.least, Math.ceil(longest * NAMES.letter) + 16));
  const most = Math.floor((start - 16) / NAMES.letter);
  const full = WIDTH - start - 70;
  const lines = bars.map(({ name, value, colour }, i) => {
    const y = 34 + i * LINE;
    const length = Number.isNaN(value) ? 0 : value * full;
    const text = Number.isNaN(value) ? "does not occur" : (100 * value).toFixed(1);
    const bar = `<rect x="${start}" y="${y}" width="${length.toFixed(1)}" height="${LINE - 8}" rx="2" fill="${colour}" stroke="currentColor" stroke-opacity=".25"/>`;
    const label = `<text x="${start - 8}" y="${y + 13}" text-anchor="end">${shortened(name, most)}</text>`;
    return `${label}${bar}<text x="${(start + length + 7).toFixed(1)}" y="${y + 13}">${text}</text>`;
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}" class="chart" style="max-width:760px">`,
    `<text x="14" y="18" class="chart-title">${escapeHtml(title)}</text>`,
    ...lines,
    "</svg>",
  ].join("\n");
}

/** A name shortened to a number of letters, with the whole name as a tooltip. */
function shortened(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return escapeHtml(name);
  const [head, tail] = [Math.ceil((most - 1) / 2), Math.floor((most - 1) / 2)];
  const short = `${letters.slice(0, head).join("")}…${letters.slice(letters.length - tail).join("")}`;
  return `${escapeHtml(short)}<title>${escapeHtml(name)}</title>`;
}
