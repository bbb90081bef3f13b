import { describe, expect, it } from "vitest";
import { countingLine, tally } from "../../scripts/lib/test-report.mjs";

const file = (name: string, statuses: string[], status = statuses.includes("failed") ? "failed" : "passed") => ({
  name,
  status,
  assertionResults: statuses.map((value) => ({ status: value })),
});

describe("tally", () => {
  it("counts the tests of all files", () => {
    const report = { testResults: [file("/a", ["passed", "passed", "skipped"]), file("/b", ["passed", "failed"])] };
    expect(tally(report, { exitCode: 1, expected: ["/a", "/b"] })).toEqual({
      passed: 3,
      failed: 1,
      skipped: 1,
      problems: [],
    });
  });

  it("counts a file that fails outside its tests", () => {
    const report = { testResults: [file("/a", [], "failed"), file("/b", ["passed"], "failed")] };
    expect(tally(report, { exitCode: 1, expected: ["/a", "/b"] })).toMatchObject({ passed: 1, failed: 2 });
  });

  it("counts a file that did not report", () => {
    const report = { testResults: [file("/a", ["passed"])] };
    const total = tally(report, { exitCode: 0, expected: ["/a", "/gone"] });
    expect(total).toMatchObject({ passed: 1, failed: 1, problems: ["test file did not run: /gone"] });
  });

  it("fails without files, without a report, and on an exit code that no test explains", () => {
    expect(tally({ testResults: [] }, { exitCode: 0, expected: [] }).failed).toBe(1);
    expect(tally(null, { exitCode: null, expected: ["/a"] }).failed).toBe(2);
    const report = { testResults: [file("/a", ["passed"])] };
    expect(tally(report, { exitCode: 1, expected: ["/a"] })).toMatchObject({
      failed: 1,
      problems: ["vitest ended with exit code 1"],
    });
  });
});

describe("countingLine", () => {
  it("names skipped tests only when there are some", () => {
    expect(countingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
    expect(countingLine({ passed: 12, failed: 3, skipped: 1 })).toBe("12 passed, 3 failed, 1 skipped");
  });
});
