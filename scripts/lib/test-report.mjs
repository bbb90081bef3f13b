/** A file of vitest's JSON report: its outcome and the numbers of its tests. */
function tallyFile(file) {
  const count = (...states) => file.assertionResults.filter((test) => states.includes(test.status)).length;
  const failed = count("failed");
  // A file that fails outside its tests (an import, a hook) reports no failed test of its own.
  const broken = file.status === "failed" && failed === 0 ? 1 : 0;
  return { passed: count("passed"), failed: failed + broken, skipped: count("skipped", "pending", "todo", "disabled") };
}

/**
 * Numbers of passed, failed and skipped tests of one vitest run; what keeps a run from being whole counts as failed.
 * @param {object | null} report vitest's JSON report, null when it wrote none
 * @param {{ exitCode: number | null, expected: string[] }} run the exit code of vitest (null: killed) and the test
 *   files on disk that it had to run, as absolute paths
 * @returns {{ passed: number, failed: number, skipped: number, problems: string[] }}
 */
export function tally(report, { exitCode, expected }) {
  const total = { passed: 0, failed: 0, skipped: 0, problems: [] };
  const fail = (problem) => {
    total.failed += 1;
    total.problems.push(problem);
  };
  const files = report?.testResults ?? [];
  for (const file of files) {
    const { passed, failed, skipped } = tallyFile(file);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  if (report === null) fail("vitest wrote no report");
  if (expected.length === 0) fail("no test files");
  const ran = new Set(
    files.filter((file) => file.assertionResults.length > 0 || file.status === "failed").map((file) => file.name),
  );
  for (const path of expected) if (!ran.has(path)) fail(`test file did not run: ${path}`);
  if (exitCode !== 0 && total.failed === 0)
    fail(`vitest ended with ${exitCode === null ? "a signal" : `exit code ${exitCode}`}`);
  return total;
}

/** The line that ends a test run: `N passed, N failed`, and `, N skipped` when there are some. */
export function countingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
