/** Pages of the kernels, drawn from the files of `packages/kernels/src`: a page for each folder that holds kernels. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "packages/kernels/src");

const textOf = (...path) => readFileSync(join(source, ...path), "utf8");
const fence = (language, text) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** Text in which Markdown and Vue find nothing of theirs. */
const plain = (text) =>
  text
    .replace(/[\\`*_[\]|]/g, "\\$&")
    .replaceAll("<", "&lt;")
    .replaceAll("{{", "&#123;&#123;");

/** The header of a kernel and what follows it. */
function splitHeader(text) {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return { header: lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, "")), code: lines.slice(end).join("\n") };
}

/** A header as Markdown: paragraphs, and what is indented as it stands. */
function prose(lines) {
  const blocks = [];
  for (const line of lines) {
    const kind = line.trim() === "" ? "" : /^ {2}/.test(line) ? "code" : "text";
    const last = blocks.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else blocks.push({ kind, lines: [line] });
  }
  return blocks
    .filter(({ kind }) => kind !== "")
    .map(({ kind, lines: own }) => (kind === "code" ? fence("text", own.join("\n")) : plain(own.join("\n"))))
    .join("\n\n");
}

function kernelSection(folder, file) {
  const { header, code } = splitHeader(textOf(folder, file));
  return `## ${file} {#${file.replace(".", "-")}}\n\n${prose(header)}\n\n${fence("wgsl", code.trimStart())}`;
}

const cell = (text) => (text === undefined ? "" : `<code v-pre>${escaped(text)}</code>`);
const escaped = (text) =>
  text.replace(/\s+/g, " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("|", "&#124;");

/** The table of pointwise ops: what each row computes, in WGSL and in float64. */
async function pointwiseSection() {
  const table = await import(new URL("packages/kernels/dist/pointwise/rows.js", `file://${root}`));
  const rows = Object.entries(table).map(([name, { forward, da, db, reference }]) =>
    [`\`${name}\``, ...[forward, da, db, String(reference)].map(cell)].join(" | "),
  );
  return `## The table

A kernel is made of each row and part: \`a\` and \`b\` are the operands, \`c\` a condition, \`y\` the result, \`g\` its gradient. A kernel
of one shape goes through its operands by vectors of four; one that broadcasts finds the place of each element by strides.

| op | forward | gradient of a | gradient of b | in float64 |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join("\n")}`;
}

/** TypeScript of the folder that a page shows, and under which heading. */
const SHOWN = [
  ["The plan, in TypeScript", (file) => !/^(reference|cases)\.ts$/.test(file)],
  ["The reference, in float64", (file) => file === "reference.ts"],
];

const folded = (folder, file) => `::: details ${folder}/${file}\n${fence("ts", textOf(folder, file))}\n:::`;

async function page({ folder, shaders, scripts }) {
  const kernels = shaders.length > 0 ? shaders.map((file) => kernelSection(folder, file)) : [await pointwiseSection()];
  const parts = SHOWN.flatMap(([title, isShown]) => {
    const files = scripts.filter(isShown);
    return files.length > 0 ? [`## ${title}\n\n${files.map((file) => folded(folder, file)).join("\n\n")}`] : [];
  });
  // Without cases there is nothing to choose.
  const plan = scripts.includes("cases.ts") ? `<KernelPlan folder="${folder}" />\n\n` : "";
  return `---\noutline: 2\neditLink: false\n---\n\n# ${folder}\n\n${plan}${[...kernels, ...parts].join("\n\n")}\n`;
}

/** Folders of ops, with their files: those that hold kernels, and the table of which kernels are made. */
function kernelFolders() {
  return readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const files = readdirSync(join(source, name)).sort();
      const isGradient = (file) => Number(/backward|gradient/.test(file));
      const shaders = files.filter((file) => file.endsWith(".wgsl")).sort((a, b) => isGradient(a) - isGradient(b));
      return { folder: name, shaders, scripts: files.filter((file) => file.endsWith(".ts")) };
    })
    .filter(({ shaders, scripts }) => shaders.length > 0 || scripts.includes("table.ts"))
    .sort((a, b) => a.folder.localeCompare(b.folder));
}

const MOST_NAMES = 12;

/** The ops of a folder that can be tried. */
async function opNames(folder) {
  const { cases } = await import(new URL(`packages/kernels/dist/${folder}/cases.js`, `file://${root}`));
  return cases.map(({ name }) => name);
}

/** The text of each page by its path below docs/reference/kernels, and the list of all. */
export async function kernelPages() {
  const folders = kernelFolders();
  const pages = await Promise.all(folders.map(async (own) => [`${own.folder}.md`, await page(own)]));
  const rows = await Promise.all(
    folders.map(async ({ folder, shaders, scripts }) => {
      const ops = scripts.includes("cases.ts") ? await opNames(folder) : [];
      const shown = ops.length > MOST_NAMES ? [...ops.slice(0, MOST_NAMES), `${ops.length - MOST_NAMES} more`] : ops;
      const kernels = shaders.map((file) => file.replace(".wgsl", "")).join(", ") || "made of the rows";
      return `| [${folder}](./reference/kernels/${folder}.md) | ${shown.map(plain).join(", ")} | ${kernels} |`;
    }),
  );
  const list = `| folder | ops | kernels |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
  return [...pages, ["list.md", list]];
}
