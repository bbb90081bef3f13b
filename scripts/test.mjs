// All checks: types, lint, the packages as they are shipped, and the tests of vitest. Arguments narrow the test files
// as vitest's own do. The last line is `N passed, N failed`; each check counts as one test.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles } from "./lib/files.mjs";
import { countingLine, tally } from "./lib/test-report.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const TIME_LIMIT_MS = 24 * 60_000;

function tool(path, ...args) {
  const result = spawnSync(process.execPath, [join(root, path), ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: TIME_LIMIT_MS,
    killSignal: "SIGKILL",
  });
  return result.status;
}

function check(name, ...commands) {
  const passed = commands.every((command) => tool(...command) === 0);
  console.log(`${passed ? "passed" : "FAILED"}: ${name}`);
  return passed;
}

function runVitest(filters) {
  const folder = mkdtempSync(join(tmpdir(), "fcn-test-"));
  const output = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
  try {
    const exitCode = tool("node_modules/vitest/vitest.mjs", "run", ...reporters, ...filters);
    const report = existsSync(output) ? JSON.parse(readFileSync(output, "utf8")) : null;
    return { exitCode, report };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const expected = listFiles(join(root, "test"), (name) => name.endsWith(".test.ts"))
  .filter((path) => filters.length === 0 || filters.some((filter) => `test/${path}`.includes(filter)))
  .map((path) => `${root.replaceAll("\\", "/")}/test/${path}`);

const checks = [
  check("types", ["node_modules/@typescript/native/bin/tsc", "-b"]),
  check("lint", ["node_modules/@biomejs/biome/bin/biome", "check", "."], ["scripts/check-arrows.mjs"]),
  check("packages", ["scripts/lint-packages.mjs"]),
];
const { exitCode, report } = runVitest(process.argv.slice(2));
const total = tally(report, { exitCode, expected });
for (const passed of checks) total[passed ? "passed" : "failed"] += 1;
for (const problem of total.problems) console.log(`FAILED: ${problem}`);
console.log(`\n${countingLine(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
