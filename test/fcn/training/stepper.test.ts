import * as fcn from "@fcn/core";
import { createDevice, type Device, nn, optim, type Tensor } from "@fcn/tensor";
import { setRepeating } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stripes } from "../data/samples.js";
import { changed, weightsOf } from "./states.js";

const OPTIONS = { numClasses: 2, seed: 4, widthMultiplier: 0.25 };
const samples = [2, 3, 4, 5].map((shift) => stripes(`stripes ${shift}`, 32, 2, shift));
const preprocessing = fcn.data.measurePreprocessing(samples);
const settings = { data: samples, preprocessing, numClasses: 2, batchSize: 2, learningRate: 0.05, seed: 5, steps: 6 };

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** What a training leaves, and how often the net ran forward. */
async function trained(
  model: string,
  options: Partial<fcn.TrainOptions>,
  isRepeating: boolean,
  modelOptions: Partial<fcn.models.ModelOptions> = {},
) {
  setRepeating(device, isRepeating);
  using net = fcn.models.create(model, device, { ...OPTIONS, ...modelOptions });
  const start = await weightsOf(net);
  const passes = (["forward", "scores"] as const).map((way) => vi.spyOn(fcn.models.GraphNet.prototype, way));
  let state: Record<string, Float32Array> = {};
  try {
    const result = await fcn.train({
      ...settings,
      ...options,
      model: net,
      readEvery: 1,
      onProgress: async ({ step }, optimizer) => {
        if (step !== settings.steps) return;
        const saved = optimizer.stateDict();
        const read = Object.entries(saved).map(async ([name, value]) => {
          const data = typeof value.data === "function" ? await value.data() : value.data;
          return [name, Float32Array.from(data as ArrayLike<number>)] as const;
        });
        state = Object.fromEntries(await Promise.all(read));
      },
    });
    const weights = await weightsOf(net);
    const losses = result.losses.map(({ loss }) => loss);
    return {
      weights,
      state,
      losses,
      learned: changed(start, weights).length,
      runs: passes.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    };
  } finally {
    for (const pass of passes) pass.mockRestore();
    setRepeating(device, true);
  }
}

/** What a training leaves whose fixed upsampling is changed after the fourth step. */
async function changedMidway(isRepeating: boolean): Promise<unknown> {
  setRepeating(device, isRepeating);
  using net = fcn.models.create("fcn8s-small", device, OPTIONS);
  const weight = net.stateDict()["upscore8.weight"] as Tensor;
  const onProgress = async ({ step }: fcn.TrainProgress): Promise<void> => {
    if (step === 4) weight.assign(device.full(weight.shape, 0.1));
  };
  const { losses } = await fcn.train({ ...settings, model: net, readEvery: 1, steps: 8, onProgress });
  setRepeating(device, true);
  return { losses, weights: await weightsOf(net) };
}

/** Streams batches of a few sizes, and one without a label. */
async function* sizes(): AsyncGenerator<fcn.TrainBatch> {
  for (let i = 0; ; i++) {
    const side = [64, 64, 96, 64, 96, 96][i % 6] as number;
    const { image, labels } = stripes(`${i}`, side, 2, 2 + (i % 3));
    const shape = [1, 3, side, side] as const;
    const images = Float32Array.from(image.data, (_, at) => {
      const [c, p] = [Math.floor(at / (side * side)), at % (side * side)];
      return ((image.data[p * 3 + c] as number) - 128) / 64;
    });
    yield { images, labels: Int32Array.from(labels, (label) => (i === 3 ? 255 : label)), shape };
  }
}

const CASES: Record<
  string,
  [model: string, options: Partial<fcn.TrainOptions>, of?: Partial<fcn.models.ModelOptions>]
> = {
  "momentum and weight decay": ["fcn8s-small", { weightDecay: 0.01 }],
  "RMSprop and one cycle": ["fcn8s-small", { optimizer: "rmsprop", schedule: "oneCycle", learningRate: 0.001 }],
  "Adam with a decay": ["fcn8s-small", { optimizer: "adam", weightDecay: 0.01, learningRate: 0.005 }],
  "AdamW, a warm-up and a cosine": ["fcn8s-small", { optimizer: "adamw", warmUp: 2, schedule: "cosine" }],
  "dropout and learned upsampling": ["fcn16s-vgg16", {}, { widthMultiplier: 1 / 16, dropout: 0.5, deconv: "learned" }],
  "factors of layers and clipping": [
    "fcn8s-small",
    { multipliers: { layers: { "score*": { lr: 10 }, fc6: { lr: 0 } } }, clipNorm: 0.1 },
  ],
  accumulation: ["fcn8s-small", { accumulationSteps: 3, batchSize: 2 }],
  "sums without momentum": ["fcn32s-small", { reduction: "sum", momentum: 0, learningRate: 1e-5 }],
  "class weights and sampled pixels": [
    "fcn8s-small",
    { classWeights: "median", lossSampling: { probability: 0.5, cell: 4 } },
  ],
  "the focal loss": ["fcn8s-small", { loss: "focal", classWeights: [1, 2] }],
  "the dice loss with cross-entropy": ["fcn8s-small", { loss: { kind: "dice", crossEntropy: 0.5 } }],
  "a fixed backbone": ["fcn8s-small", { trainable: "scores" }],
  "fixed statistics of batch norm": ["fcn8s-small", { freezeBatchNorm: true }],
  "an auxiliary head": [
    "fcn_resnet50",
    { heads: { out: 1, aux: 0.4 } },
    { widthMultiplier: 1 / 16, auxLoss: true } as Partial<fcn.models.ModelOptions>,
  ],
  "averages over the image, gates and dropout": [
    "deeplabv3_mobilenet_v3_large",
    { batchSize: 3 },
    { widthMultiplier: 1 / 16, auxLoss: true } as Partial<fcn.models.ModelOptions>,
  ],
  "features in float16 and AdamW": ["fcn8s-small", { precision: "float16", optimizer: "adamw", learningRate: 0.005 }],
  "features in float16, accumulation, clipping and steps left out": [
    "fcn8s-small",
    { precision: "float16", accumulationSteps: 2, clipNorm: 100, reduction: "sum", learningRate: 1e-5 },
  ],
  "images of several sizes, one without labels": ["fcn32s-small", { batchSize: 1 }],
};

describe("a recorded step has the bits of one that runs each time", () => {
  it("when the fixed upsampling is changed in between", async () => {
    expect(await changedMidway(true)).toEqual(await changedMidway(false));
  });

  it.each(Object.entries(CASES))("with %s", async (name, [model, options, of]) => {
    const given = (): Partial<fcn.TrainOptions> => (name.startsWith("images") ? { data: sizes() } : {});
    const plain = await trained(model, { ...options, ...given() }, false, of);
    const repeated = await trained(model, { ...options, ...given() }, true, of);
    expect(plain.learned).toBeGreaterThan(0);
    expect(repeated.losses).toEqual(plain.losses);
    expect(changed(plain.weights, repeated.weights)).toEqual([]);
    expect(Object.keys(repeated.state)).toEqual(Object.keys(plain.state));
    expect(changed(plain.state, repeated.state)).toEqual([]);
    const batches = options.accumulationSteps ?? 1;
    const recorded = name.startsWith("images") ? 4 : 2;
    // Once more to compile all kernels.
    expect([plain.runs, repeated.runs]).toEqual([(settings.steps + 1) * batches, (recorded + 1) * batches]);
  });

  it("but runs each time where hard pixels are chosen, and where code of others takes part", async () => {
    class Own extends optim.SGD {}
    for (const options of [
      { loss: { kind: "ohem", minKept: 100 } },
      { optimizer: (groups: fcn.LearningGroup[], lr: number) => new Own(groups, { lr }) },
    ] as const) {
      const plain = await trained("fcn8s-small", options, false);
      const repeated = await trained("fcn8s-small", options, true);
      expect(changed(plain.weights, repeated.weights)).toEqual([]);
      expect(repeated.runs).toBe(settings.steps);
    }
    let runs = 0;
    class Mine extends nn.Module {
      readonly inner = fcn.models.create("fcn32s-small", device, OPTIONS);
      constructor() {
        super();
        this.registerModule("inner", this.inner);
      }
      override forward(x: Parameters<fcn.models.GraphNet["forward"]>[0]) {
        runs++;
        return this.inner.forward(x);
      }
    }
    using model = new Mine();
    await fcn.train({ ...settings, model });
    expect(runs).toBe(settings.steps);
  });

  it("and is recorded anew when parameters cease to learn", async () => {
    const run = async (isRepeating: boolean) => {
      setRepeating(device, isRepeating);
      using model = fcn.models.create("fcn32s-small", device, OPTIONS);
      await fcn.train({
        ...settings,
        model,
        readEvery: 1,
        onProgress: ({ step }) => {
          const [[, first] = []] = model.namedParameters();
          if (step === 4 && first) first.requiresGrad = false;
        },
      });
      setRepeating(device, true);
      return await weightsOf(model);
    };
    expect(changed(await run(false), await run(true))).toEqual([]);
  });
});

/** The parameters of the kernels of a recorded step, in bytes. */
const UNIFORMS = 2 ** 18;

describe("the memory of recorded steps", () => {
  it("is that of steps that run, for one size and for several, and is given back", async () => {
    const measure = async (isRepeating: boolean, data: () => fcn.TrainOptions["data"]) => {
      const own = await createDevice({ quiet: true, poolBytes: 2 ** 24 });
      setRepeating(own, isRepeating);
      const model = fcn.models.create("fcn32s-small", own, { ...OPTIONS, widthMultiplier: 1 });
      own.trim();
      own.resetPeakMemory();
      await fcn.train({ ...settings, data: data(), model, batchSize: 1, steps: 12 });
      const { peakBytes, peakReservedBytes } = own.memory();
      model.dispose();
      own.trim();
      const left = own.memory();
      expect(left.liveBytes + left.pooledBytes).toBe(0);
      own.destroy();
      return { peakBytes, peakReservedBytes };
    };
    const large = () => [stripes("large", 96, 2, 4)];
    for (const data of [large, sizes]) {
      const [plain, repeated] = [await measure(false, data), await measure(true, data)];
      // Images and labels lie twice in memory while their size is recorded.
      expect(repeated.peakBytes).toBeLessThanOrEqual(plain.peakBytes + 2 ** 18);
      // The first step of a size does not use what is set apart for others.
      const first = data === sizes ? plain.peakBytes : 0;
      expect(repeated.peakReservedBytes).toBeLessThanOrEqual(plain.peakReservedBytes + first + UNIFORMS);
    }
  });
});
