import { escapeHtml } from "./page.js";

/**
 * A confusion matrix as a table, with a row for each true class and a column for each predicted one. Cells show, and
 * are tinted by, their percentage of the row's pixels.
 *
 * @param counts number of pixels of class i predicted as class j
 */
export function confusionTable(classes: readonly string[], counts: readonly (readonly number[])[]): string {
  const head = classes.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("");
  const rows = counts.map((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) => {
      if (total === 0) return "<td>-</td>";
      const share = count / total;
      const colour = truth === predicted ? "47,158,110" : "209,96,61";
      return `<td style="background:rgba(${colour},${(0.75 * share).toFixed(3)})" title="${count} pixels">${(100 * share).toFixed(1)}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(classes[truth] ?? String(truth))}</th>${cells.join("")}</tr>`;
  });
  return `<div class="wide"><table><thead><tr><th scope="col">truth \\ predicted</th>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;
}
