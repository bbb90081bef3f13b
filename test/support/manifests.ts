import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

/** An object of Kubernetes as its file has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is there depends on the kind, which the compiler checks.
  readonly [field: string]: any;
}

/** The objects in a file. Throws for text that is not YAML, and for a name that is there twice. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

const root = join(import.meta.dirname, "../..");

/**
 * What the declarations of Kubernetes' API, generated from its OpenAPI description, have against each object: fields
 * that it does not know, which the API server leaves out in silence, those that are missing, and values of another
 * type.
 */
export function manifestProblems(manifests: readonly Manifest[]): string[][] {
  const problems = manifests.map((): string[] => []);
  const lines = manifests.map(({ apiVersion, kind, ...rest }, i) => {
    const module = `kubernetes-models/${apiVersion}`;
    if (existsSync(join(root, "node_modules", module))) {
      return `export const m${i}: import("${module}").I${kind} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
    }
    problems[i]?.push(`there is no API ${apiVersion}`);
    return "";
  });
  const file = join(root, "test/manifests.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"],
    types: [],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const onDisk = host.getSourceFile;
  const source = ts.createSourceFile(file, lines.join("\n"), ts.ScriptTarget.ES2022);
  host.getSourceFile = (name, ...rest) => (name === file ? source : onDisk(name, ...rest));
  for (const { start = 0, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))) {
    const { line } = source.getLineAndCharacterOfPosition(start);
    problems[line]?.push(ts.flattenDiagnosticMessageText(messageText, "\n"));
  }
  return problems;
}
