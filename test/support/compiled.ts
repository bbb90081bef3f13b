import { writeFileSync } from "node:fs";
import ts from "typescript";

/** What the compiler finds wrong in samples of documents, as in a strict project for Node. */
export function sampleProblems(files: readonly string[]): string[] {
  const program = ts.createProgram([...files], {
    module: ts.ModuleKind.NodeNext,
    moduleDetection: ts.ModuleDetectionKind.Force,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  });
  return describeDiagnostics(program);
}

/** What the compiler says of a program, a line each. */
export const describeDiagnostics = (program: ts.Program): string[] =>
  ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });

/** Writes TypeScript as the module `file` that Node runs. */
export function writeModule(file: string, text: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  writeFileSync(file, ts.transpileModule(text, { compilerOptions }).outputText);
  return file;
}
