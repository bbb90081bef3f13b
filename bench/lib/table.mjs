/** Tables for a terminal and for Markdown, and the Markdown around them. */

/** Three significant digits, without an exponent: 1234.5 -> "1235", 0.01234 -> "0.0123". */
export function digits(value) {
  if (!Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** A share as "65 %". */
export const percent = (value) => `${Math.round(100 * value)} %`;

/** Rows of strings under a header, columns aligned; all columns but the first and the last are flush right. */
export function textTable(header, rows) {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (row) =>
    row
      .map((cell, i) => (i === 0 || i === header.length - 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The same as a Markdown table. */
export function markdownTable(header, rows) {
  const line = (row) => `| ${row.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 || i === header.length - 1 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** A report in Markdown: what it is, what wrote it, the lines of its head, and the rest. */
export function markdownReport(title, command, head, rest) {
  const bullets = head.map((line) => `* ${line}`);
  const lines = [`# ${title}`, "", `Written by \`${command}\`.`, "", ...bullets, "", ...rest];
  return `${lines.join("\n").trimEnd()}\n`;
}
