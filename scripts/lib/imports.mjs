import { builtinModules } from "node:module";
import ts from "typescript";

const BUILTINS = new Set(builtinModules);

/** Whether a module specifier names a part of Node itself. */
export function isNodeBuiltin(specifier) {
  return specifier.startsWith("node:") || BUILTINS.has(specifier) || BUILTINS.has(specifier.split("/")[0]);
}

/** The package that a bare specifier belongs to: "@scope/name/path" -> "@scope/name". */
export function packageOf(specifier) {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

/** Whether an import or export statement disappears when compiled, because it names types only. */
function isTypeOnly(node) {
  if (ts.isExportDeclaration(node)) {
    const clause = node.exportClause;
    return node.isTypeOnly || (clause && ts.isNamedExports(clause) && allTypes(clause.elements)) === true;
  }
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return clause.name === undefined && named !== undefined && ts.isNamedImports(named) && allTypes(named.elements);
}

function allTypes(elements) {
  return elements.length > 0 && elements.every((element) => element.isTypeOnly);
}

/**
 * The imports of a source text, and the WebGPU objects that it names outside comments and strings.
 * @returns {{ imports: { specifier: string, kind: "static" | "dynamic" | "type", line: number }[],
 *   gpuNames: { name: string, line: number }[] }}
 */
export function readSource(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const imports = [];
  const gpuNames = [];
  const add = (node, kind) => {
    if (node && ts.isStringLiteralLike(node)) imports.push({ specifier: node.text, kind, line: lineOf(node) });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, isTypeOnly(node) ? "type" : "static");
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], "dynamic");
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, "type");
    } else if (ts.isIdentifier(node)) {
      const name = gpuName(node);
      if (name !== null) gpuNames.push({ name, line: lineOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { imports, gpuNames };
}

/** The WebGPU name that an identifier stands for: `GPUBuffer`, or the `gpu` of `navigator.gpu`. */
function gpuName(node) {
  if (/^GPU[A-Z]/.test(node.text)) return node.text;
  const parent = node.parent;
  const isProperty = node.text === "gpu" && ts.isPropertyAccessExpression(parent) && parent.name === node;
  if (!isProperty) return null;
  return /\bnavigator\b/.test(parent.expression.getText()) ? "navigator.gpu" : null;
}
