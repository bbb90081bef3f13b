import ts from "typescript";
import { describeDiagnostics } from "./compiled.js";

/** As the compiler of a user may be set: no `@types` at hand, and declarations checked. */
const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
  types: [],
  strict: true,
  skipLibCheck: false,
  // The compiler's own declarations are not what is checked.
  skipDefaultLibCheck: true,
  noEmit: true,
};

/**
 * What a user stumbles over in the declarations of these entries: errors of the compiler, and types that a signature
 * names but no entry exports. Names of WebGPU and Node count as the latter.
 */
export function declarationProblems(entries: readonly string[]): string[] {
  const program = ts.createProgram([...entries], OPTIONS);
  const checker = program.getTypeChecker();
  const errors = describeDiagnostics(program);
  // Older compilers know WebGPU by @webgpu/types alone, which a user need not have.
  const ofWebGpu = program
    .getSourceFiles()
    .filter((file) => !program.isSourceFileDefaultLibrary(file))
    .flatMap((file) => gpuTypes(file).map((name) => `${file.fileName} names ${name}`));
  const resolve = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

  const exported = new Map<ts.Symbol, string>();
  const collect = (module: ts.Symbol, prefix: string): void => {
    for (const item of checker.getExportsOfModule(module)) {
      const symbol = resolve(item);
      if (exported.has(symbol)) continue;
      exported.set(symbol, prefix + item.name);
      if (symbol.flags & ts.SymbolFlags.Module) collect(symbol, `${prefix}${item.name}.`);
    }
  };
  for (const entry of entries) {
    const file = program.getSourceFile(entry);
    const module = file && checker.getSymbolAtLocation(file);
    if (module) collect(module, "");
  }

  const isOfTheLanguage = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.some((node) => program.isSourceFileDefaultLibrary(node.getSourceFile())) === true &&
    !symbol.name.startsWith("GPU");
  const forgotten = new Set<string>();
  const visit = (node: ts.Node, user: string): void => {
    const name = nameOf(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    if (name && symbol) {
      const target = resolve(symbol);
      const isKnown = exported.has(target) || isOfTheLanguage(target) || isLocal(target);
      if (!isKnown) forgotten.add(`${user} names ${name.getText()}, which no entry exports`);
    }
    ts.forEachChild(node, (child) => visit(child, user));
  };
  for (const [symbol, user] of exported) {
    if (symbol.flags & ts.SymbolFlags.Module) continue;
    for (const declaration of symbol.declarations ?? []) visit(declaration, user);
  }
  return [...errors, ...ofWebGpu, ...[...forgotten].sort()];
}

/** Types of WebGPU that a file names. */
function gpuTypes(file: ts.SourceFile): string[] {
  const within = (node: ts.Node): string[] => {
    const own = ts.isTypeReferenceNode(node) ? [node.typeName.getText()].filter((name) => name.startsWith("GPU")) : [];
    const below: string[] = [];
    ts.forEachChild(node, (child) => {
      below.push(...within(child));
    });
    return [...own, ...below];
  };
  return within(file);
}

/** The name that a node of a declaration refers to by. */
function nameOf(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  return ts.isImportTypeNode(node) ? node.qualifier : undefined;
}

/** Type parameters, and what is named within a type by itself. */
function isLocal(symbol: ts.Symbol): boolean {
  const local = ts.SymbolFlags.TypeParameter | ts.SymbolFlags.FunctionScopedVariable | ts.SymbolFlags.Property;
  return (symbol.flags & local) !== 0;
}
