import {
  type CrossEntropyCase,
  FAULT,
  FAULT_RECORD,
  NAN_BITS,
  planCrossEntropy,
  planCrossEntropyBackward,
  UNREAD,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  expectCovered,
  expectGridOver,
  largeDevice,
  originOf,
  outline,
  scalar,
  smallDevice,
  soundSteps,
} from "../../support/plans.js";

const mean: CrossEntropyCase = { pixels: 10, classes: 3, ignoreIndex: 255, weighted: false, reduction: "mean" };
const sum: CrossEntropyCase = { ...mean, reduction: "sum", weighted: true };
const none: CrossEntropyCase = { ...mean, reduction: "none" };

describe("the plan of cross-entropy", () => {
  it("takes the losses of all pixels, then their mean", () => {
    const plan = planCrossEntropy(mean, largeDevice);
    expect(soundSteps(plan, largeDevice).map(outline)).toEqual([
      {
        kernel: "cross-entropy/forward",
        ...{ EACH: false, WEIGHTED: false, FAULT_LABEL: FAULT.label },
        ...{ threads: 10, pixels: 10, classes: 3, ignoreIndex: 255, nanBits: NAN_BITS },
        ...{ firstLogit: 0, firstPixel: 0, begin: 0, base: 0, total: 10 },
        operands: { x: "logits", labels: "target", weight: UNREAD, lse: "lse", y: "partial", fault: FAULT_RECORD },
        grid: [1, 1, 1],
      },
      {
        kernel: "cross-entropy/finish",
        ...{ MEAN: true, threads: 10, nanBits: NAN_BITS },
        operands: { partial: "partial", y: "y", divisor: "divisor" },
        grid: [1, 1, 1],
      },
    ]);
    // A sum and a divisor for each thread.
    expect(plan?.scratch).toEqual({ partial: 80 });
  });

  it("sums with the weights of classes", () => {
    const [first, finish] = soundSteps(planCrossEntropy(sum, largeDevice), largeDevice);
    expect(first).toMatchObject({ constants: { WEIGHTED: true }, operands: { weight: "weight" } });
    expect(finish?.constants).toEqual({ MEAN: false });
  });

  it("without a reduction writes each loss and needs no second step", () => {
    const plan = planCrossEntropy(none, largeDevice);
    const [step, ...rest] = soundSteps(plan, largeDevice);
    expect(rest).toEqual([]);
    expect(step).toMatchObject({ constants: { EACH: true }, operands: { y: "y" } });
    expect(plan?.scratch).toBeUndefined();
  });

  it("has a thread for each pixel where they are written, else as many as keep the device busy", () => {
    const threads = (c: CrossEntropyCase) => {
      const [step] = soundSteps(planCrossEntropy({ ...c, pixels: 100_000 }, largeDevice), largeDevice);
      expectGridOver(step!, scalar(step!.params, "threads"));
      return step!.params.threads;
    };
    expect([none, mean].map(threads)).toEqual([100_000, 32 * 64]);
  });

  it("keeps the partial sums of all ranges within a binding", () => {
    const busy = { ...smallDevice, parallelism: 1000 };
    const plan = planCrossEntropy({ ...mean, pixels: 2000 }, busy);
    const steps = soundSteps(plan, busy);
    expect(plan!.scratch!.partial).toBeLessThanOrEqual(busy.bindingLimit);
    expect(plan!.scratch!.partial).toBeGreaterThan(busy.bindingLimit / 2);
    const total = scalar(steps[0]!.params, "total");
    expect(plan!.scratch!.partial).toBe(8 * total);
    expectCovered(
      steps.slice(0, -1).map(({ params }) => {
        expect(params.total).toBe(total);
        expect(params.threads).toBeLessThanOrEqual(scalar(params, "pixels"));
        return [scalar(params, "base"), scalar(params, "base") + scalar(params, "threads")] as const;
      }),
      total,
    );
    expect(steps.at(-1)?.params.threads).toBe(total);
  });

  it("has no more threads than pixels in any range", () => {
    const steps = soundSteps(planCrossEntropy({ ...mean, classes: 100, pixels: 20 }, smallDevice), smallDevice);
    const threads = steps.map(({ params }) => params.threads);
    expect(threads).toEqual([8, 8, 4, 20]);
  });

  it("of no pixels still has room for its sums", () => {
    const plan = planCrossEntropy({ ...mean, pixels: 0 }, largeDevice);
    expect(plan?.scratch).toEqual({ partial: 8 });
    expect(plan?.steps).toHaveLength(2);
  });
});

describe("the plan of the gradient of cross-entropy", () => {
  it("takes four pixels a thread", () => {
    const steps = soundSteps(planCrossEntropyBackward(mean, largeDevice), largeDevice);
    expect(steps.map(outline)).toEqual([
      {
        kernel: "cross-entropy/backward",
        ...{ EACH: false, MEAN: true, WEIGHTED: false },
        ...{ threads: 3, pixels: 10, classes: 3, ignoreIndex: 255, nanBits: NAN_BITS, firstLogit: 0, firstPixel: 0 },
        operands: { x: "logits", labels: "target", lse: "lse", weight: UNREAD, dy: "dy", divisor: "divisor", dx: "dx" },
        grid: [1, 1, 1],
      },
    ]);
  });

  it("reads the weights where there are some, and the divisor for the mean only", () => {
    const [step] = soundSteps(planCrossEntropyBackward(sum, largeDevice), largeDevice);
    expect(step).toMatchObject({
      constants: { EACH: false, MEAN: false, WEIGHTED: true },
      operands: { weight: "weight", divisor: UNREAD, dy: "dy" },
    });
    const [each] = soundSteps(planCrossEntropyBackward({ ...none, pixels: 100_000 }, largeDevice), largeDevice);
    expect(each).toMatchObject({ constants: { EACH: true, MEAN: false }, operands: { dy: "dy", divisor: UNREAD } });
    expectGridOver(each!, 25_000);
  });
});

describe("logits larger than a binding", () => {
  const runsOf = (steps: ReturnType<typeof soundSteps>, unit: number) =>
    steps.map((step) => {
      const first = originOf(step, "labels") + scalar(step.params, "firstPixel") * unit;
      expect(originOf(step, "x") + scalar(step.params, "firstLogit") * unit).toBe(first * 7);
      expect(originOf(step, "lse")).toBe(originOf(step, "labels"));
      expect(first % 4).toBe(0);
      return [first, first + scalar(step.params, "pixels")] as const;
    });

  it("are taken in ranges of whole vectors of pixels", () => {
    const c = { ...none, classes: 7, pixels: 1001 };
    const forward = soundSteps(planCrossEntropy(c, smallDevice), smallDevice);
    expect(forward.length).toBeGreaterThan(1);
    expectCovered(runsOf(forward, 1), 1001);
    for (const step of forward) {
      expect(step.params.threads).toBe(step.params.pixels);
      expect(step.params.begin).toBe(originOf(step, "labels") + scalar(step.params, "firstPixel"));
      expect(originOf(step, "y")).toBe(originOf(step, "labels"));
    }
    const backward = soundSteps(planCrossEntropyBackward(c, smallDevice), smallDevice);
    expectCovered(runsOf(backward, 4), 1001);
    for (const step of backward) {
      expect(originOf(step, "dy")).toBe(originOf(step, "labels"));
      expect(originOf(step, "dx")).toBe(originOf(step, "x"));
    }
  });

  it("have no plan where four pixels do not fit", () => {
    for (const reduction of ["mean", "none"] as const) {
      const c = { ...mean, reduction, pixels: 100, classes: 241 };
      expect(planCrossEntropy(c, smallDevice)).toBeUndefined();
      expect(planCrossEntropyBackward(c, smallDevice)).toBeUndefined();
      expect(planCrossEntropy({ ...c, classes: 240 }, smallDevice)).toBeDefined();
      expect(planCrossEntropyBackward({ ...c, classes: 240 }, smallDevice)).toBeDefined();
    }
  });
});
