import * as fcn from "@fcn/core";
import { describe, expect, it } from "vitest";

function labelled(...labels: number[]): fcn.data.SegmentationSample {
  const data = new Uint8Array(labels.length * 3);
  return {
    name: "labels",
    image: { data, height: 1, width: labels.length, channels: 3 },
    labels: Uint8Array.from(labels),
  };
}

/** Class 0: 6 of 12 labelled pixels, class 1: 4, class 2: 2, class 3: none; class 2 occurs in the second alone. */
const samples = [labelled(0, 0, 0, 0, 1, 1, 1, 255), labelled(0, 0, 1, 2, 2, 255, 255, 255)];

describe("classWeights", () => {
  it("by inverse frequency give a labelled pixel the mean weight 1", () => {
    const weights = fcn.classWeights(samples, 4, "inverse");
    expect(weights).toEqual([12 / (3 * 6), 12 / (3 * 4), 12 / (3 * 2), 0]);
    const counts = fcn.data.countLabels(samples, 4);
    expect(counts.reduce((sum, count, c) => sum + count * (weights[c] ?? 0), 0) / 12).toBeCloseTo(1, 12);
  });

  it("by median frequency look at the images in which a class occurs", () => {
    // 6 / 12, 4 / 12 and 2 / 5: the median is 2 / 5.
    const [a, b, c, d] = fcn.classWeights(samples, 4, "median");
    expect(a).toBeCloseTo(0.4 / (6 / 12), 12);
    expect(b).toBeCloseTo(0.4 / (4 / 12), 12);
    expect(c).toBe(1);
    expect(d).toBe(0);
    const even = fcn.classWeights([labelled(0, 0, 0, 1)], 2, "median");
    expect(even).toEqual([0.5 / 0.75, 0.5 / 0.25]);
  });

  it("need a labelled pixel and a known rule", () => {
    expect(() => fcn.classWeights([labelled(255, 255)], 2, "inverse")).toThrow(/0 labelled pixels/);
    expect(() => fcn.classWeights(samples, 3, "mean" as "median")).toThrow(/balancing is "mean"/);
  });
});
