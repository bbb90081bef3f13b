import { models } from "@fcn/core";
import { createDevice, crossEntropy, type Device, div, noGrad, optim, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, norm, readGolden, tensorOf } from "../../support/golden.js";
import { image, labels, type StartEntry, startState } from "../../support/hash-values.js";
import { expectOutput, headsOf, type OutputSummary, thin } from "../../support/output-samples.js";

interface Case {
  key: string;
  model: string;
  options: Partial<models.ModelOptions>;
  channels: number;
  entries: StartEntry[];
  heads: Record<string, OutputSummary>;
}

interface Regime {
  lr: number;
  momentum: number;
  weightDecay: number;
  reduction: "sum" | "mean";
  /** Whose gradients are accumulated in one step. */
  images: number;
}

interface Trajectory {
  losses: number[];
  movedNorms: Record<string, number>;
  weightNorms: Record<string, number>;
}

interface Golden {
  classes: number;
  geometricClasses: number;
  widthMultiplier: number;
  sizes: [number, number][];
  samples: number;
  logits: number;
  budget: { loss: number; gradient: number; moved: number; weight: number };
  regimes: Record<string, Regime>;
  cases: Case[];
  training: Record<string, { gradNorms: Record<string, number>; regimes: Record<string, Trajectory> }>;
}

const file = readGolden("berkeley_nets");
const golden = JSON.parse(file.metadata.golden ?? "{}") as Golden;
const { budget } = golden;

/** Of the range of the logits; PyTorch's own float32 stays within 1e-6. */
const AGREEMENT = 1e-5;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Net = models.GraphNet<Tensor | Record<string, Tensor>>;

const MODES = [false, true].flatMap((dense) => (["fixed", "learned"] as const).map((deconv) => ({ deconv, dense })));

/** The net of a case with the weights of the golden run; its upsampling blobs are dense, as the published ones. */
function start({ model, options, entries }: Case, more: Partial<models.ModelOptions> = {}): Net {
  const { classes: numClasses, widthMultiplier, geometricClasses } = golden;
  const heads = model.includes("siftflow") ? { geometricClasses } : {};
  const all = { numClasses, widthMultiplier, dropout: 0, ...heads, ...options, ...more };
  const net: Net = models.create<Tensor | Record<string, Tensor>>(model, device, all);
  net.loadStateDict(startState("berkeley", entries), { strict: true });
  return net;
}

function sample(index: number, channels: number): { x: Tensor; y: Tensor } {
  const [height, width] = golden.sizes[index % golden.sizes.length] as [number, number];
  const target = labels(1, height, width, golden.classes);
  const input = image(`berkeley/image${index % golden.sizes.length}`, target, channels);
  return {
    x: device.tensor(input.data, [...input.shape]),
    y: device.tensor(target.data, [...target.shape], { dtype: "int32" }),
  };
}

const stepOf = (length: number, count: number): number => Math.max(1, Math.ceil(length / count));

async function expectLogits(net: Net, { key, channels, heads }: Case): Promise<void> {
  await device.scope(async () => {
    const got = headsOf(noGrad(() => net.forward(sample(0, channels).x)));
    expect(Object.keys(got)).toEqual(Object.keys(heads));
    for (const [head, want] of Object.entries(heads)) {
      const samples = tensorOf(file, `${key}.${head}`);
      const step = stepOf(
        want.shape.reduce((a, b) => a * b, 1),
        golden.logits,
      );
      await expectOutput(`${key} ${head}`, got[head] as Tensor, want, { samples, step, share: AGREEMENT });
    }
  });
}

/** Compares tensors by name with the norms and the samples of a golden file, in the order of the norms. */
class Samples {
  readonly #stored: HostTensor;
  #at = 0;

  constructor(key: string) {
    this.#stored = tensorOf(file, key);
  }

  /**
   * `share` of the norm and `slack` beside it may be the error of the whole tensor, and so of its samples in
   * proportion.
   */
  expect(label: string, data: ArrayLike<number>, want: number, share: number, slack = 0): void {
    const kept = thin(data, stepOf(data.length, golden.samples));
    const error = norm(kept.map((value, i) => value - (this.#stored.data[this.#at + i] ?? Number.NaN)));
    this.#at += kept.length;
    const allowed = share * want + slack;
    expect(Math.abs(norm(data) - want) / allowed, `${label}, norm`).toBeLessThan(1);
    // A few samples hold more or less than their part: 4 is twice the spread of a sum of 12 squares.
    const part = 4 * Math.sqrt(kept.length / data.length);
    expect(error / (allowed * Math.min(1, part)), `${label}, samples`).toBeLessThan(1);
  }

  expectEnd(): void {
    expect(this.#at).toBe(this.#stored.data.length);
  }
}

describe("logits of the nets on VGG16 against an independent build in PyTorch", () => {
  it.each(golden.cases)("$key", async (entry) => {
    const net = start(entry).eval();
    await expectLogits(net, entry);
    net.dispose();
  });

  it.each(MODES)("do not depend on how the upsampling is stored: %o", async (mode) => {
    for (const entry of golden.cases.slice(0, 4)) {
      const net = start(entry, mode).eval();
      await expectLogits(net, entry);
      net.dispose();
    }
  });
});

describe.each(golden.cases.slice(0, 4))("gradients of $model against PyTorch", (entry) => {
  const { gradNorms } = golden.training[entry.model] as Golden["training"][string];

  async function gradients(dense: boolean): Promise<Map<string, Float32Array>> {
    const net = start(entry, { deconv: "learned", dense });
    const found = new Map<string, Float32Array>();
    await device.scope(async () => {
      const { x, y } = sample(0, 3);
      crossEntropy(net.forward(x) as Tensor, y).backward();
      for (const [name, parameter] of net.namedParameters()) {
        found.set(name, (await (parameter.grad as Tensor).data()) as Float32Array);
      }
    });
    net.dispose();
    return found;
  }

  it("agree for every parameter, upsampling included, and channel-wise ones are the diagonal of the dense", async () => {
    const [dense, narrow] = [await gradients(true), await gradients(false)];
    expect([...dense.keys()].sort()).toEqual(Object.keys(gradNorms).sort());
    const samples = new Samples(`${entry.model}.grad`);
    for (const [name, want] of Object.entries(gradNorms)) {
      samples.expect(name, dense.get(name) as Float32Array, want, budget.gradient);
    }
    samples.expectEnd();
    for (const [name, own] of narrow) {
      const full = dense.get(name) as Float32Array;
      const area = own.length / golden.classes;
      const diagonal = name.startsWith("up")
        ? own.map((_, i) => full[Math.floor(i / area) * (golden.classes + 1) * area + (i % area)] ?? Number.NaN)
        : full;
      const error = norm(own.map((value, i) => value - (diagonal[i] ?? Number.NaN)));
      expect(error / norm(diagonal), name).toBeLessThan(budget.gradient);
    }
  });
});

describe.each(golden.cases.slice(0, 4))("ten steps of $model as in PyTorch", (entry) => {
  it.each(Object.entries(golden.regimes))("%s", async (name, regime) => {
    const want = (golden.training[entry.model] as Golden["training"][string]).regimes[name] as Trajectory;
    const net = start(entry);
    const before = new Map<string, ArrayLike<number>>();
    for (const [key, parameter] of net.namedParameters()) before.set(key, await parameter.data());
    const losses = await train(net, regime, want.losses.length);
    for (const [step, loss] of losses.entries()) {
      expect(Math.abs(loss / (want.losses[step] as number) - 1), `loss of step ${step + 1}`).toBeLessThan(budget.loss);
    }
    const samples = new Samples(`${entry.model}.${name}`);
    const after = net.stateDict();
    expect([...before.keys()].sort()).toEqual(Object.keys(want.movedNorms).sort());
    for (const [key, moved] of Object.entries(want.movedNorms)) {
      const old = before.get(key) as ArrayLike<number>;
      const data = await (after[key] as Tensor).data();
      const slack = budget.weight * (want.weightNorms[key] as number);
      samples.expect(
        key,
        Float64Array.from(data, (value, i) => value - (old[i] ?? Number.NaN)),
        moved,
        budget.moved,
        slack,
      );
    }
    samples.expectEnd();
    net.dispose();
  });
});

async function train(net: Net, regime: Regime, steps: number): Promise<number[]> {
  const { lr, momentum, weightDecay, reduction, images } = regime;
  const ending = (end: string) => net.namedParameters().flatMap(([name, p]) => (name.endsWith(end) ? [p] : []));
  const groups = [
    { params: ending(".weight"), weightDecay },
    { params: ending(".bias"), lr: 2 * lr },
  ];
  using sgd = new optim.SGD(groups, { lr, momentum });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    await device.scope(async () => {
      sgd.zeroGrad();
      let total = 0;
      for (let i = 0; i < images; i++) {
        const { x, y } = sample(step * images + i, 3);
        const loss = div(crossEntropy(net.forward(x) as Tensor, y, { reduction }), images);
        loss.backward();
        total += await loss.item();
      }
      sgd.step();
      losses.push(total);
    });
  }
  net.zeroGrad();
  return losses;
}

describe("the first loss of a fresh net", () => {
  const names = models.list().filter((name) => /-vgg16-(rgbd|hha|siftflow)$/.test(name));
  it.each(names)("of %s is ln C a pixel in every head", async (model) => {
    await device.scope(async () => {
      const net = models.create<Tensor | Record<string, Tensor>>(model, device, {
        numClasses: 33,
        widthMultiplier: 1 / 64,
      });
      const channels = models.graphOf(model, { numClasses: 33 }).options.inChannels;
      const { x, y } = sample(0, channels);
      const all = Array.from(await y.data());
      const valid = all.filter((label) => label !== 255).length;
      for (const [head, logits] of Object.entries(headsOf(net.forward(x)))) {
        const classes = logits.shape[1] as number;
        expect(classes, head).toBe(head === "geo" ? 3 : 33);
        const own = all.map((label) => (label === 255 ? 255 : label % classes));
        const target = device.tensor(own, y.shape, { dtype: "int32" });
        expect(await crossEntropy(logits, target).item()).toBeCloseTo(Math.log(classes), 5);
        const total = await crossEntropy(logits, target, { reduction: "sum" }).item();
        expect(total / valid).toBeCloseTo(Math.log(classes), 5);
      }
    });
  });
});
