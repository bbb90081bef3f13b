/** Pages of the documentation that are drawn from the sources: the command line and the error codes. */
import { readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\s+/g, " ");
const code = (text) => `\`${text.replaceAll("|", "\\|")}\``;

/** Loads every command of `fcn` with its options. */
async function loadedProgram() {
  const { createProgram } = await import(new URL("packages/fcn/dist/cli/main.js", root));
  const program = createProgram("");
  for (const command of program.commands) {
    const { setUp } = await import(new URL(`packages/fcn/dist/cli/commands/${command.name()}.js`, root));
    setUp(command);
  }
  return program;
}

const leaves = (command, path) =>
  command.commands.length > 0
    ? command.commands.flatMap((inner) => leaves(inner, `${path} ${inner.name()}`))
    : [{ command, path }];

function commandSection({ command, path }) {
  const operands = command.registeredArguments.map(({ required, variadic, _name }) => {
    const name = `${_name}${variadic ? "..." : ""}`;
    return required ? ` <${name}>` : ` [${name}]`;
  });
  const rows = command.options.map(({ flags, description }) => `| ${code(flags)} | ${cell(description)} |`);
  const table = rows.length > 0 ? `\n| option | what it does |\n| --- | --- |\n${rows.join("\n")}\n` : "";
  const summary = command.description();
  return `## ${path}\n\n\`\`\`\n${path}${operands.join("")}${rows.length > 0 ? " [options]" : ""}\n\`\`\`\n\n${summary[0].toUpperCase()}${cell(summary.slice(1))}.\n${table}`;
}

/** The text of docs/reference/command-line.md: each command with its options, as `--help` shows them. */
export async function commandLinePage() {
  const program = await loadedProgram();
  const sections = program.commands.flatMap((command) => leaves(command, `fcn ${command.name()}`)).map(commandSection);
  return `# The command line

\`npx fcn\` runs the commands below; each shows its options with \`--help\`. \`--verbose\` adds the stack of an error, \`--json\` prints
one JSON object for other programs, with progress on standard error. Exit codes: 0 done, 1 failed or stopped by Ctrl-C,
2 wrong usage, 143 stopped by SIGTERM, 129 stopped by SIGHUP. \`fcn completion bash\` (or \`zsh\`, \`fish\`) prints a script
with which the shell completes commands, options and names.

${sections.join("\n")}`;
}

const CODE = /((?: {2}\/\/ .*\n)+) {2}\| "([\w-]+)"/g;

/** The text of docs/reference/error-codes.md, from the comments of the codes. */
export function errorCodesPage() {
  const source = readFileSync(new URL("packages/kernels/src/errorCodes.ts", root), "utf8");
  const rows = [...source.matchAll(CODE)].map(([, comment, name]) => {
    return `| ${code(name)} | ${cell(comment.replaceAll("  // ", "").trim())} |`;
  });
  return `# Error codes

\`error.code\` of a \`TensorError\`, and what it means. [Reading errors](../guide/errors.md) shows what else an error holds.

| code | meaning |
| --- | --- |
${rows.join("\n")}
`;
}
