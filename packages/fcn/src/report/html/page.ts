/** Escapes text for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** A table whose first column holds row headers; numeric cells are right-aligned. */
export const htmlTable = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  tableOfCells(
    header,
    rows.map(([name = "", ...cells]) => [name, cells.map((cell) => `<td>${escapeHtml(cell)}</td>`)]),
  );

/** A table whose cells, after the header of each row, are already HTML. */
export function tableOfCells(
  header: readonly string[],
  rows: readonly (readonly [name: string, cells: readonly string[]])[],
): string {
  const head = header.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join("");
  const body = rows.map(([name, cells]) => `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join("")}</tr>`);
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

/** A PNG image embedded in the page. */
export function embeddedPng(png: Uint8Array, description: string): string {
  const data = Buffer.from(png).toString("base64");
  return `<img alt="${escapeHtml(description)}" src="data:image/png;base64,${data}">`;
}

export function descriptionList(rows: readonly (readonly [string, string])[]): string {
  const items = rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${items.join("\n")}</dl>`;
}

/** A complete page that loads nothing from elsewhere. `body` is already HTML. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5d6b7a; --paper: #ffffff; --rule: #dde3ea; --tint: #f4f7fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9fb0c0; --paper: #12181f; --rule: #2c3742; --tint: #1a222b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .4em; }
h2 { font-size: 1.2rem; margin: 2.2em 0 .6em; }
p { max-width: 70ch; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4em .9em; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 600; font-size: .85rem; }
tbody th { font-weight: 500; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 18px; }
.chart { width: 100%; background: var(--tint); border-radius: 8px; fill: var(--ink); font: 12px system-ui, sans-serif; }
.chart-title { font-size: 14px; font-weight: 600; }
.grid { stroke: var(--rule); }
figure { margin: 0; }
figure img { max-width: 100%; height: auto; border-radius: 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25em 1.4em; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
`;
