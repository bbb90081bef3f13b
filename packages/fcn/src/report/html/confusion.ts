import { tableOfCells } from "./page.js";

/**
 * A confusion matrix as a table, with a row for each true class and a column for each predicted one. Cells show, and
 * are tinted by, their percentage of the row's pixels.
 *
 * @param counts number of pixels of class i predicted as class j
 */
export function confusionTable(classes: readonly string[], counts: readonly (readonly number[])[]): string {
  const rows = counts.map((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) => {
      if (total === 0) return "<td>-</td>";
      const share = count / total;
      const colour = truth === predicted ? "47,158,110" : "209,96,61";
      return `<td style="background:rgba(${colour},${(0.75 * share).toFixed(3)})" title="${count} pixels">${(100 * share).toFixed(1)}</td>`;
    });
    return [classes[truth] ?? String(truth), cells] as const;
  });
  return tableOfCells(["truth \\ predicted", ...classes], rows);
}
