import { readFileSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";

const CAUGHT = new Set(["Killed", "Timeout", "RuntimeError"]);
const SURVIVED = new Set(["Survived", "NoCoverage"]);

/** The text of a file between two places, which count lines and columns from 1. */
function textBetween(text, { start, end }) {
  const starts = [0];
  for (const line of text.split("\n")) starts.push(starts.at(-1) + line.length + 1);
  const at = ({ line, column }) => starts[line - 1] + column - 1;
  return text.slice(at(start), at(end));
}

/**
 * Plants the faults of StrykerJS in TypeScript files, one at a time, in a copy of the tree, and runs the tests of the
 * group that reach it. Endless loops end with the time limit, and count as caught.
 */
export async function plantInSource(files, { tests, gpu = false }) {
  process.env.MUTANTS_TESTS = JSON.stringify(tests);
  const results = await new Stryker({
    mutate: files,
    testRunner: "suite",
    plugins: ["runner.mjs", "wording.mjs"].map((name) => new URL(name, import.meta.url).href),
    ignorers: ["wording"],
    ignorePatterns: ["/out", "/bench", "/docs", "/.ci"],
    tempDirName: "out/mutants",
    cleanTempDir: "always",
    concurrency: 1,
    timeoutMS: gpu ? 20_000 : 10_000,
    timeoutFactor: 2,
    reporters: [],
    allowConsoleColors: false,
    disableTypeChecks: false,
    logLevel: "error",
  }).runMutationTest();
  return results
    .filter(({ status }) => CAUGHT.has(status) || SURVIVED.has(status))
    .map(({ fileName, location, replacement, status }) => {
      const file = fileName.slice(fileName.lastIndexOf("packages/"));
      const text = readFileSync(file, "utf8");
      return {
        file,
        line: text.split("\n")[location.start.line - 1].trim(),
        at: `${location.start.line}:${location.start.column}`,
        from: textBetween(text, location),
        to: replacement,
        caught: CAUGHT.has(status),
      };
    });
}
