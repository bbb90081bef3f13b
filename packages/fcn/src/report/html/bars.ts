import { escapeHtml } from "./page.js";

/** A share from 0 to 1 with a name; NaN has no bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** A CSS colour. */
  readonly colour: string;
}

const WIDTH = 640;
const LINE = 24;
/** Room for the names, as much as they need between these, at about so many units a letter. */
const NAMES = { least: 170, most: 300, letter: 7.5 };

/** Horizontal bars of shares as one SVG element, in their order; each tells its value in per cent. */
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

/** A name in at most so many letters; the whole one is shown where the pointer rests. */
function shortened(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return escapeHtml(name);
  const [head, tail] = [Math.ceil((most - 1) / 2), Math.floor((most - 1) / 2)];
  const short = `${letters.slice(0, head).join("")}…${letters.slice(letters.length - tail).join("")}`;
  return `${escapeHtml(short)}<title>${escapeHtml(name)}</title>`;
}
