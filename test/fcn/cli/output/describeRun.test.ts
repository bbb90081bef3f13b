import { describe, expect, it } from "vitest";
import { describeRun } from "../../../../packages/fcn/src/cli/output/describeRun.js";
import { SegmentationMetrics } from "../../../../packages/fcn/src/labels/metrics.js";

/** What is said of a run whose net sees every class right. */
function described(classes: number): string {
  const labels = Array.from({ length: classes }, (_, label) => label);
  const scores = new SegmentationMetrics(classes).update(labels, labels).compute();
  const names = labels.map((label) => `c${label}`);
  const run = { best: { step: 3, scores }, classes: names, files: [], seconds: 1, stepping: 1, waited: 0 };
  return describeRun({ ...run, adapter: { description: "it" } } as unknown as Parameters<typeof describeRun>[0]);
}

describe("the scores of a run", () => {
  it("stand in one line for a few classes, and in a line each for many", () => {
    expect(described(3)).toMatch(/net .* c0 IU +c1 IU +c2 IU\nstep 3 /);
    const many = described(200);
    expect(Math.max(...many.split("\n").map((line) => line.length))).toBeLessThan(80);
    expect(many).toMatch(/^199 c199 +100\.0$/m);
  });
});
