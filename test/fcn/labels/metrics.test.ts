import { SegmentationMetrics } from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** The four scores written as sets of pixels instead of a histogram. */
function scoresBySets(prediction: number[], target: number[], classes: number) {
  const counted = target.map((_, i) => i).filter((i) => target[i] !== 255);
  const per = Array.from({ length: classes }, (_, c) => {
    const truth = counted.filter((i) => target[i] === c);
    const guess = counted.filter((i) => prediction[i] === c);
    const both = truth.filter((i) => prediction[i] === c).length;
    return { truth: truth.length, both, union: new Set([...truth, ...guess]).size };
  });
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    pixelAccuracy: counted.filter((i) => prediction[i] === target[i]).length / counted.length,
    meanAccuracy: mean(per.filter((c) => c.truth > 0).map((c) => c.both / c.truth)),
    meanIU: mean(per.filter((c) => c.union > 0).map((c) => c.both / c.union)),
    frequencyWeightedIU: per
      .filter((c) => c.truth > 0)
      .reduce((s, c) => s + (c.truth / counted.length) * (c.both / c.union), 0),
  };
}

const batch = (classes: number, length: number) =>
  fc.tuple(
    fc.array(fc.integer({ min: 0, max: classes - 1 }), { minLength: length, maxLength: length }),
    fc.array(fc.oneof(fc.integer({ min: 0, max: classes - 1 }), fc.constant(255)), {
      minLength: length,
      maxLength: length,
    }),
  );

describe("labels", () => {
  it("may have 64 bits, and must not be rows of rows", () => {
    const labels = [0, 1, 2, 255, 1];
    const wide = BigInt64Array.from(labels, BigInt);
    const scores = (own: SegmentationMetrics) => own.compute().confusion;
    const plain = scores(new SegmentationMetrics(3).update([0, 1, 1, 0, 1], labels));
    expect(scores(new SegmentationMetrics(3).update([0, 1, 1, 0, 1], wide))).toEqual(plain);
    const host = { dtype: "int64", shape: [5], data: wide };
    expect(scores(new SegmentationMetrics(3).update([0, 1, 1, 0, 1], host))).toEqual(plain);
    const nested = [[0, 1]] as unknown as number[];
    expect(() => new SegmentationMetrics(3).update(nested, nested)).toThrow(/prediction: labels are 1 rows/);
  });
});

describe("SegmentationMetrics", () => {
  it("computes a case worked out by hand", () => {
    // Truth 0: 3 right, 1 taken for 1. Truth 1: 2 right, 1 taken for 0, 1 taken for 2. Class 2 is absent from the
    // truth, 3 from both.
    const target = Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1, 255);
    const prediction = Int32Array.of(0, 0, 0, 1, 1, 1, 0, 2, 3);
    const scores = new SegmentationMetrics(4).update(prediction, target).compute();
    expect(scores.confusion).toEqual([
      [3, 1, 0, 0],
      [1, 2, 1, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(scores.pixelAccuracy).toBeCloseTo(5 / 8, 12);
    expect(scores.meanAccuracy).toBeCloseTo((3 / 4 + 2 / 4) / 2, 12);
    expect(scores.perClassIU.slice(0, 3)).toEqual([3 / 5, 2 / 5, 0]);
    expect(scores.perClassIU[3]).toBeNaN();
    expect(scores.meanIU).toBeCloseTo((3 / 5 + 2 / 5 + 0) / 3, 12);
    expect(scores.frequencyWeightedIU).toBeCloseTo(0.5 * (3 / 5) + 0.5 * (2 / 5), 12);
  });

  it("has the paper's baseline for VOC: background everywhere gives mean IU 0.0349", () => {
    const metrics = new SegmentationMetrics(21);
    const target = Array.from({ length: 10_000 }, (_, i) => (i < 7336 ? 0 : 1 + (i % 20)));
    const { meanIU, meanAccuracy } = metrics.update(new Int32Array(10_000), target).compute();
    expect(meanIU).toBeCloseTo(0.7336 / 21, 12);
    expect(meanAccuracy).toBeCloseTo(1 / 21, 12);
  });

  it("equals the definition by sets", () => {
    fc.assert(
      fc.property(batch(5, 60), ([prediction, target]) => {
        fc.pre(target.some((t) => t !== 255));
        const scores = new SegmentationMetrics(5).update(prediction, target).compute();
        const expected = scoresBySets(prediction, target, 5);
        for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
          expect(scores[key]).toBeCloseTo(expected[key], 10);
        }
      }),
    );
  });

  it("gives the same for one batch, for its halves, and for merged parts", () => {
    fc.assert(
      fc.property(batch(4, 40), fc.integer({ min: 0, max: 40 }), ([prediction, target], cut) => {
        const whole = new SegmentationMetrics(4).update(prediction, target).compute();
        const first = new SegmentationMetrics(4).update(prediction.slice(0, cut), target.slice(0, cut));
        const second = new SegmentationMetrics(4).update(prediction.slice(cut), target.slice(cut));
        expect(first.merge(second).compute()).toEqual(whole);
        const again = second.reset().update(prediction.slice(0, cut), target.slice(0, cut));
        expect(again.update(prediction.slice(cut), target.slice(cut)).compute()).toEqual(whole);
      }),
    );
  });

  it("takes host arrays and another ignore index", () => {
    const metrics = new SegmentationMetrics(2, { ignoreIndex: -1 });
    metrics.update(
      { shape: [1, 2, 2], data: Int32Array.of(0, 1, 1, 0) },
      { shape: [1, 2, 2], data: Int32Array.of(0, 1, -1, 1) },
    );
    expect(metrics.compute().confusion).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it("adds what was counted elsewhere, in any number of parts", () => {
    const [truth, guess] = [
      [0, 1, 1, 2, 2, 2],
      [0, 1, 2, 2, 2, 0],
    ];
    const whole = new SegmentationMetrics(3).update(guess, truth).compute();
    expect(whole.perClassAccuracy).toEqual([1, 1 / 2, 2 / 3]);
    const counts = whole.confusion.flat();
    const parts = new SegmentationMetrics(3).addConfusion(counts.map((n, i) => (i % 2 ? n : 0)));
    expect(parts.addConfusion(counts.map((n, i) => (i % 2 ? 0 : n))).compute()).toEqual(whole);
    expect(() => parts.addConfusion([1, 2])).toThrow("2 counts, but 3 classes have 9");
  });

  it("returns NaN when nothing was counted", () => {
    const scores = new SegmentationMetrics(3).update([1, 2], [255, 255]).compute();
    expect([scores.pixelAccuracy, scores.meanAccuracy, scores.meanIU, scores.frequencyWeightedIU]).toEqual([
      NaN,
      NaN,
      NaN,
      NaN,
    ]);
  });

  it("refuses labels out of range, and keeps what it had", () => {
    const metrics = new SegmentationMetrics(3).update([0, 1], [0, 1]);
    expect(() => metrics.update([0, 3], [0, 1])).toThrow(
      "SegmentationMetrics.update: prediction 3 at position 1 is not one of the 3 classes 0 to 2",
    );
    expect(() => metrics.update([0, 1], [0, 7])).toThrow(
      "SegmentationMetrics.update: target 7 at position 1 is not one of the 3 classes 0 to 2",
    );
    expect(() => metrics.update([0.5], [0])).toThrow(/prediction 0.5 at position 0/);
    expect(metrics.compute().confusion).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
  });

  it("weights each class by its own share where others do not occur", () => {
    const { frequencyWeightedIU } = new SegmentationMetrics(3).update([1, 2, 2, 2], [1, 1, 2, 2]).compute();
    expect(frequencyWeightedIU).toBeCloseTo(0.5 * (1 / 2) + 0.5 * (2 / 3), 12);
  });

  it("says by a code what was wrong, and what to do", () => {
    expect(new SegmentationMetrics(1).update([0], [0]).compute().meanIU).toBe(1);
    const two = () => new SegmentationMetrics(2);
    const refused = (run: () => unknown, code: string, fix = /./) =>
      expect(run).toThrow(expect.objectContaining({ code, fix: expect.stringMatching(fix) }));
    refused(() => new SegmentationMetrics(0), "invalid-argument");
    refused(() => two().update([0], [0, 1]), "invalid-shape");
    refused(() => two().addConfusion([1]), "invalid-shape");
    refused(() => two().merge(new SegmentationMetrics(3)), "invalid-argument");
    refused(() => two().update([0], [-1]), "label-out-of-range", /mark unlabelled pixels with 255/);
    refused(() => two().update([0], [7]), "label-out-of-range", /mark unlabelled pixels with 255/);
    refused(() => two().update([-1], [0]), "label-out-of-range", /argmax/);
    refused(() => two().update([7], [0]), "label-out-of-range", /argmax/);
  });

  it("refuses different lengths, other class numbers and objects that are not on the host", () => {
    expect(() => new SegmentationMetrics(3).update([0, 1, 2], [0, 1])).toThrow("3 predictions for 2 targets");
    expect(() => new SegmentationMetrics(3).merge(new SegmentationMetrics(2))).toThrow(
      "2 classes cannot be added to 3",
    );
    expect(() => new SegmentationMetrics(0)).toThrow(/^SegmentationMetrics: numClasses is 0/);
    const onDevice = { shape: [2], data: async () => Int32Array.of(0, 1) };
    expect(() => new SegmentationMetrics(3).update(onDevice as never, [0, 1])).toThrow(
      /must be a typed array or \{ shape, data \} on the host/,
    );
  });
});
