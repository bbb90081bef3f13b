/** Names of PyTorch, torchvision and the d2l book that the library has, as the comments of its exports give them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = new URL("../../", import.meta.url);
const PACKAGES = { "@fcn/tensor": "packages/tensor", "@fcn/core": "packages/fcn" };
/** A name of a Python package in a comment, without the dot that ends a sentence. */
const KNOWN = /\b(torch(?:vision)?|d2l)(?:\.\w+)+/g;

/** Whether a class has a member with a comment of its own: what is inherited stands in its base class. */
const isOwn = ({ declarations = [] }, { declarations: owners = [] }) =>
  declarations.some((of) => owners.includes(of.parent) && ts.getJSDocCommentsAndTags(of).length > 0);

/** The exports of a package that name what they are known as: [known, ours, package]. */
function entriesOf(name, folder, checker, program) {
  const entry = program.getSourceFile(fileURLToPath(new URL(`${folder}/dist/index.d.ts`, root)));
  const rows = [];
  const visit = (symbol, path, depth) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const text = ts.displayPartsToString(target.getDocumentationComment(checker));
    // What a comment names first is what the export stands for; later names explain.
    const [known] = text.match(KNOWN) ?? [];
    if (known && target.flags & ts.SymbolFlags.Value) rows.push([known, path, name]);
    if (depth > 0) return;
    if (target.flags & (ts.SymbolFlags.Module | ts.SymbolFlags.Namespace)) {
      for (const inner of checker.getExportsOfModule(target)) visit(inner, `${path}.${inner.name}`, 0);
    } else if (target.flags & ts.SymbolFlags.Class || target.name === "TensorMethods") {
      const owner = target.name === "TensorMethods" ? "Tensor" : path;
      for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(target))) {
        if (!member.name.startsWith("_") && isOwn(member, target)) visit(member, `${owner}.${member.name}`, 1);
      }
    }
  };
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(entry))) visit(symbol, symbol.name, 0);
  return rows;
}

/** The text of docs/pytorch.md. */
export function knownNames() {
  const files = Object.values(PACKAGES).map((folder) => fileURLToPath(new URL(`${folder}/dist/index.d.ts`, root)));
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
  };
  const program = ts.createProgram(files, { ...options, target: ts.ScriptTarget.ES2023, types: [] });
  const checker = program.getTypeChecker();
  const all = Object.entries(PACKAGES).flatMap(([name, folder]) => entriesOf(name, folder, checker, program));
  const { version } = JSON.parse(readFileSync(new URL("packages/tensor/package.json", root), "utf8"));
  const rows = new Map(all.map((row) => [row.join(" "), row]));
  const lines = [...rows.values()]
    .sort(([a, ourA], [b, ourB]) => a.localeCompare(b) || ourA.localeCompare(ourB))
    .map(([known, ours, name]) => `| \`${known}\` | \`${ours}\` | ${name} | ${version} |`);
  return `# Names from PyTorch

Whoever knows PyTorch, torchvision or the d2l book finds here what stands for a name. Options come in one object after the tensors, in camelCase:
\`F.conv2d(x, w, b, stride=2)\` is \`conv2d(x, w, b, { stride: 2 })\`. Written by \`node scripts/known-names.mjs\` from the comments of the exports.

| name | here | package | since |
| --- | --- | --- | --- |
${lines.join("\n")}
`;
}
