import * as fcn from "@fcn/core";
import { createDevice, type Device, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchLoss, type Loss, lossNames, lossRule } from "../../../../packages/fcn/src/training/loss/loss.js";
import { uniform } from "../../../support/hash-values.js";
import { stripes } from "../../data/samples.js";

const [N, C, H, W] = [2, 3, 4, 5] as const;
const VOID = 255;
const WEIGHTS = [0.5, 2, 1];

const logits = uniform("criteria/logits", [N, C, H, W], 2);
/** Class 2 is rare; every seventh pixel is void. */
const labels = Int32Array.from({ length: N * H * W }, (_, i) => (i % 7 === 3 ? VOID : i % 11 === 0 ? 2 : i % 2));
const batch = { images: new Float32Array(), labels, shape: [N, C, H, W] as const };

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** Probabilities by pixel, in float64, straight from the definition. */
function softmaxOf(values: ArrayLike<number>): number[][] {
  return Array.from(labels, (_, i) => {
    const [n, p] = [Math.floor(i / (H * W)), i % (H * W)];
    const scores = Array.from({ length: C }, (_, c) => values[(n * C + c) * H * W + p] as number);
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    return scores.map((score) => Math.exp(score) / total);
  });
}

interface Pixel {
  readonly label: number;
  readonly q: number[];
  readonly p: number;
}

const pixelsOf = (values: ArrayLike<number>): Pixel[] =>
  softmaxOf(values).flatMap((q, i) => {
    const label = labels[i] as number;
    return label === VOID ? [] : [{ label, q, p: q[label] as number }];
  });

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

type Reference = (values: ArrayLike<number>, weights: readonly number[]) => number;
const DIVISOR = 3;

const crossEntropy: Reference = (values, weights) =>
  total(pixelsOf(values).map(({ label, p }) => -(weights[label] as number) * Math.log(p))) / DIVISOR;

const focal =
  (gamma: number): Reference =>
  (values, weights) =>
    total(pixelsOf(values).map(({ label, p }) => -(weights[label] as number) * (1 - p) ** gamma * Math.log(p))) /
    DIVISOR;

const dice =
  (smooth: number, share: number): Reference =>
  (values, weights) => {
    const pixels = pixelsOf(values);
    const distances = weights.map((weight, c) => {
      const overlap = total(pixels.map(({ label, q }) => (label === c ? (q[c] as number) : 0)));
      const all = total(pixels.map(({ label, q }) => (q[c] as number) + (label === c ? 1 : 0)));
      return weight * (1 - (2 * overlap + smooth) / (all + smooth));
    });
    return total(distances) / total(weights) + share * crossEntropy(values, weights);
  };

/** The hard pixels are those of the undisturbed logits: which ones they are is not differentiated. */
const ohem = (threshold: number, minKept: number): Reference => {
  const costs = pixelsOf(logits).map(({ p }) => -Math.log(p));
  const least = [...costs].sort((a, b) => b - a)[minKept - 1] ?? Number.POSITIVE_INFINITY;
  const kept = costs.map((cost) => cost > -Math.log(threshold) || cost >= least);
  return (values, weights) => {
    const hard = pixelsOf(values).filter((_, i) => kept[i]);
    const weightOf = ({ label }: Pixel): number => weights[label] as number;
    return total(hard.map((pixel) => -weightOf(pixel) * Math.log(pixel.p))) / total(hard.map(weightOf));
  };
};

const CASES: readonly [string, Loss, Reference][] = [
  ["cross-entropy", "crossEntropy", crossEntropy],
  ["focal", "focal", focal(2)],
  ["focal, gamma 1", { kind: "focal", gamma: 1 }, focal(1)],
  ["focal, gamma 0: cross-entropy", { kind: "focal", gamma: 0 }, crossEntropy],
  ["dice", "dice", dice(1, 0)],
  ["dice and cross-entropy", { kind: "dice", smooth: 0.1, crossEntropy: 0.5 }, dice(0.1, 0.5)],
  ["hard pixels", { kind: "ohem", threshold: 0.3 }, ohem(0.3, 0)],
  ["at least so many hard pixels", { kind: "ohem", threshold: 0, minKept: 6 }, ohem(0, 6)],
  ["hard pixels, all of them", { kind: "ohem", threshold: 1 }, ohem(1, 0)],
];

async function lossAndGradient(form: Loss, classWeights?: readonly number[]) {
  return device.scope(async () => {
    const x = device.tensor(logits, [N, C, H, W], { requiresGrad: true });
    const loss = await batchLoss(form, { values: x }, batch, {
      reduction: "mean",
      divisor: DIVISOR,
      batches: 1,
      classWeights,
    });
    loss.backward();
    return { loss: await loss.item(), gradient: await (x.grad as Tensor).data() };
  });
}

describe.each(CASES)("%s", (_, form, reference) => {
  it.each([
    ["without class weights", undefined],
    ["with class weights", WEIGHTS],
  ])("is its definition in float64, and its gradient the slope of it, %s", async (_, weights) => {
    const { loss, gradient } = await lossAndGradient(form, weights);
    const of = (values: ArrayLike<number>): number => reference(values, weights ?? [1, 1, 1]);
    expect(Math.abs(loss - of(logits))).toBeLessThan(2e-6 * Math.max(1, Math.abs(loss)));
    const step = 1e-5;
    const slopes = Array.from(logits, (_, i) => {
      const at = (by: number): number => of(Float64Array.from(logits, (value, j) => (j === i ? value + by : value)));
      return (at(step) - at(-step)) / (2 * step);
    });
    const largest = Math.max(...slopes.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-3);
    slopes.forEach((slope, i) => {
      expect(Math.abs((gradient[i] as number) - slope), `element ${i}`).toBeLessThan(1e-5 * largest + 1e-6);
    });
  });
});

describe("a loss", () => {
  it.each(["focal", "dice", "ohem"] as const)(
    "%s trains a net, and leaves nothing after on the device",
    async (loss) => {
      const data = [2, 3, 4].map((shift) => stripes(`stripes ${shift}`, 32, 2, shift));
      const preprocessing = fcn.data.measurePreprocessing(data);
      using model = fcn.models.create("fcn8s-small", device, { numClasses: 2, seed: 4, widthMultiplier: 0.25 });
      const before = device.memory().liveTensors;
      const settings = {
        model,
        data,
        preprocessing,
        numClasses: 2,
        batchSize: 2,
        accumulationSteps: 2,
        learningRate: 0.1,
      };
      const { losses } = await fcn.train({ ...settings, loss, steps: 24, readEvery: 6 });
      expect(losses.at(-1)?.loss).toBeLessThan(0.96 * (losses[0]?.loss ?? 0));
      expect(device.memory().liveTensors).toBe(before);
      await expect(fcn.train({ ...settings, steps: 1, loss: { kind: "focal", gamma: 0.5 } })).rejects.toThrow(
        /loss .*"gamma":0.5/,
      );
    },
  );
});

describe("the rule of a loss", () => {
  const holds = (...losses: unknown[]): boolean[] => losses.map((loss) => lossRule.holds(loss));
  const settings = (name: string, ...values: unknown[]): boolean[] =>
    values.map((value) => lossRule.holds({ kind: "focal", [name]: value }));

  it("takes a name, by itself or with settings", () => {
    expect(lossNames()).toEqual(["crossEntropy", "focal", "dice", "ohem"]);
    expect(holds(...lossNames(), ...lossNames().map((kind) => ({ kind })))).toEqual(Array(8).fill(true));
    expect(holds("hinge", { kind: "hinge" }, {}, "", 1, undefined)).toEqual(Array(6).fill(false));
  });

  it("takes settings within their bounds", () => {
    expect(settings("gamma", undefined, 0, 1, 2.5)).toEqual([true, true, true, true]);
    expect(settings("gamma", -1, 0.5, Infinity, Number.NaN)).toEqual([false, false, false, false]);
    for (const name of ["smooth", "crossEntropy"]) {
      expect(settings(name, undefined, 0, 0.5, 100)).toEqual([true, true, true, true]);
      expect(settings(name, -0.1, Infinity, Number.NaN)).toEqual([false, false, false]);
    }
    expect(settings("minKept", undefined, 0, 100)).toEqual([true, true, true]);
    expect(settings("minKept", -1, 0.5, Infinity, Number.NaN)).toEqual([false, false, false, false]);
    expect(settings("threshold", undefined, 0, 0.3, 1)).toEqual([true, true, true, true]);
    expect(settings("threshold", -0.1, 1.1, Number.NaN)).toEqual([false, false, false]);
  });

  it("refuses null, and a setting that no loss has", () => {
    expect(holds(null, { kind: "focal", gama: 2 })).toEqual([false, false]);
  });
});

describe("the loss of a batch", () => {
  const lossOf = (loss: Loss, options: object = {}, own: object = {}): Promise<number> =>
    device.scope(async () => {
      const x = device.tensor(logits, [N, C, H, W]);
      const all = { reduction: "mean", divisor: DIVISOR, batches: 1, ...options } as const;
      return (await batchLoss(loss, { values: x }, { ...batch, ...own }, all)).item();
    });

  it("is a share of the step's where batches have equal weight", async () => {
    for (const loss of ["dice", "ohem"] as const) {
      expect(await lossOf(loss, { batches: 2 })).toBeCloseTo((await lossOf(loss)) / 2, 6);
      expect(await lossOf(loss, { divisor: 6 })).toBeCloseTo(await lossOf(loss), 6);
    }
    for (const loss of ["crossEntropy", "focal"] as const) {
      expect(await lossOf(loss, { batches: 2 })).toBeCloseTo(await lossOf(loss), 6);
      expect(await lossOf(loss, { divisor: 6 })).toBeCloseTo((await lossOf(loss)) / 2, 6);
    }
  });

  it("of hard pixels is divided like any sum, unless it is their mean", async () => {
    const all = { kind: "ohem", threshold: 1 } as const;
    const plain = await lossOf("crossEntropy", { reduction: "sum", divisor: 6 });
    expect(await lossOf(all, { reduction: "sum", divisor: 6, batches: 2 })).toBeCloseTo(plain, 5);
    expect(await lossOf({ kind: "ohem", threshold: 0 })).toBeCloseTo(0, 12);
    expect(await lossOf({ kind: "ohem", threshold: 0, minKept: 1000 })).toBeCloseTo(await lossOf(all), 5);
  });

  it("of hard pixels shows a net that has diverged", async () => {
    const x = device.tensor(new Float32Array(N * C * H * W).fill(Number.NaN), [N, C, H, W]);
    const options = { reduction: "mean", divisor: DIVISOR, batches: 1 } as const;
    expect(await (await batchLoss({ kind: "ohem", minKept: 2 }, { values: x }, batch, options)).item()).toBeNaN();
  });

  it("of hard pixels leaves out those that are exactly as likely as the threshold", async () => {
    // The first pixel has probability 1, the second one half.
    const x = device.tensor([200, 0, 0, 0], [1, 2, 1, 2]);
    const two = { images: new Float32Array(), labels: Int32Array.of(0, 0), shape: [1, 2, 1, 2] as const };
    const options = { reduction: "mean", divisor: 2, batches: 1 } as const;
    const loss = await batchLoss({ kind: "ohem", threshold: 1 }, { values: x }, two, options);
    expect(await loss.item()).toBeCloseTo(Math.LN2, 6);
  });

  it("by overlap alone is finite where cross-entropy is not", async () => {
    // The true class loses by more than the largest float32.
    const x = device.tensor([3e38, -3e38], [1, 2, 1, 1]);
    const one = { images: new Float32Array(), labels: Int32Array.of(1), shape: [1, 2, 1, 1] as const };
    const options = { reduction: "mean", divisor: 1, batches: 1 } as const;
    const of = async (loss: Loss): Promise<number> => (await batchLoss(loss, { values: x }, one, options)).item();
    expect(await of("crossEntropy")).toBe(Infinity);
    expect(await of("dice")).toBeCloseTo(0.5, 6);
  });

  it("of a batch without labels is 0, and so is that of classes without weight", async () => {
    const empty = { labels: new Int32Array(N * H * W).fill(VOID) };
    for (const loss of ["crossEntropy", "focal", "ohem"] as const)
      expect(await lossOf(loss, {}, empty)).toBeCloseTo(0, 12);
    for (const loss of ["crossEntropy", "dice", "ohem"] as const)
      expect(await lossOf(loss, { classWeights: [0, 0, 0] })).toBeCloseTo(0, 12);
  });

  it("has defaults for its settings", async () => {
    const pairs: readonly [Loss, Loss][] = [
      ["focal", { kind: "focal", gamma: 2 }],
      ["dice", { kind: "dice", smooth: 1, crossEntropy: 0 }],
      ["ohem", { kind: "ohem", threshold: 0.7, minKept: 0 }],
    ];
    for (const [name, loss] of pairs) expect(await lossOf(name)).toBe(await lossOf(loss));
  });
});

describe("schedules", () => {
  const ratesOf = async (options: Partial<fcn.TrainRunOptions>): Promise<number[]> => {
    const data = [stripes("stripes", 32, 2, 2)];
    const preprocessing = fcn.data.measurePreprocessing(data);
    using model = fcn.models.create("fcn32s-small", device, { numClasses: 2, widthMultiplier: 0.1 });
    const rates: number[] = [];
    const onProgress = ({ learningRate }: fcn.TrainProgress): void => void rates.push(learningRate);
    const settings = {
      model,
      data,
      preprocessing,
      numClasses: 2,
      learningRate: 1,
      clipNorm: 1e-6,
      freezeBatchNorm: true,
    };
    const { schedule = "fixed", warmUp = 0 } = options;
    await fcn.train({ ...settings, schedule, warmUp, steps: 6, readEvery: 1, onProgress });
    return rates.map((rate) => Number(rate.toFixed(6)));
  };

  it("warm up in equal parts to the rate of the schedule", async () => {
    expect(await ratesOf({ warmUp: 3 })).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    const cosine = Array.from({ length: 6 }, (_, i) => (1 + Math.cos((Math.PI * i) / 6)) / 2);
    const warmed = cosine.map((rate, i) => Number((rate * Math.min(1, (i + 1) / 3)).toFixed(6)));
    expect(await ratesOf({ warmUp: 2, schedule: "cosine" })).toEqual(warmed);
  });

  it("step down tenfold after each third", async () => {
    expect(await ratesOf({ schedule: "step" })).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });
});
