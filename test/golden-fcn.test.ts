import * as fcn from "@fcn/core";
import { createDevice, crossEntropy, type Device, mul, optim, slice, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWithin, type HostTensor, norm, readGolden, tensorOf } from "./support/golden.js";
import { image, labels, type StartEntry, startState } from "./support/hash-values.js";

interface Net {
  entries: StartEntry[];
  losses: number[];
  gradNorms: Record<string, number>;
}

interface Golden {
  classes: number;
  batch: number;
  height: number;
  width: number;
  widthMultiplier: number;
  /** Factor on the image; 1 where missing. */
  imageScale?: number;
  options: { lr: number; momentum: number; weightDecay: number };
  nets: Record<string, Net>;
  regimes?: Record<string, Regime>;
}

/**
 * One way of training: images a step, whose losses are divided by their number; biases learn at twice the rate without
 * decay.
 */
interface Regime {
  lr: number;
  momentum: number;
  weightDecay: number;
  reduction: "sum" | "mean";
  images: number;
  losses: number[];
}

/** A published net, and where its run in PyTorch is kept. */
interface Case {
  model: string;
  file: string;
  stride: string;
  options?: object;
}

const cases: Case[] = [
  ...["32", "16", "8"].map((stride) => ({ model: `fcn${stride}s-vgg16`, file: "fcn_vgg", stride })),
  { model: "fcn32s-alexnet", file: "fcn_alexnet", stride: "32" },
  { model: "fcn32s-googlenet-bvlc", file: "fcn_googlenet", stride: "32", options: { padding: 3 } },
];

/** PyTorch's own float32 losses stay within 2e-7 of the float64 losses that are stored. */
const agreement = 1e-5;
const gradientAgreement = 1e-4;
const isFixed = (name: string): boolean => name.startsWith("upscore");

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

function start({ model, stride, options }: Case, golden: Golden, dense: boolean) {
  const { classes: numClasses, widthMultiplier } = golden;
  const net = fcn.models.create(model, device, { numClasses, widthMultiplier, dense, seed: 1, ...options });
  net.loadStateDict(startState("fcn", (golden.nets[stride] as Net).entries), { strict: true });
  net.eval();
  const target = labels(golden.batch, golden.height, golden.width, golden.classes);
  const input = image("fcn/image", target, 3);
  const { imageScale = 1 } = golden;
  const x = device.tensor(
    input.data.map((v) => v * imageScale),
    [...input.shape],
  );
  const y = device.tensor(target.data, [...target.shape], { dtype: "int32" });
  const learned = [...net.namedParameters()].filter(([name]) => !isFixed(name));
  return { net, x, y, learned };
}

async function relativeError(got: Tensor, want: HostTensor, label: string): Promise<number> {
  expect(got.shape, label).toEqual(want.shape);
  const data = await got.data();
  return norm(data.map((v, i) => v - (want.data[i] ?? Number.NaN))) / norm(want.data);
}

describe.each(cases)("$model against PyTorch", (entry) => {
  const file = readGolden(entry.file);
  const golden = JSON.parse(file.metadata.golden ?? "{}") as Golden;
  const want = golden.nets[entry.stride] as Net;

  it.each([false, true])(
    "gives PyTorch's logits and gradients for an image of odd size, dense upsampling %s",
    async (dense) => {
      await device.scope(async () => {
        const { net, x, y, learned } = start(entry, golden, dense);
        const logits = net.forward(x) as Tensor;
        crossEntropy(logits, y, { ignoreIndex: 255 }).backward();
        const stored = tensorOf(file, `${entry.stride}.logits`);
        const size = norm(stored.data) / Math.sqrt(stored.data.length);
        expect(logits.shape).toEqual(stored.shape);
        expectWithin("logits", await logits.data(), stored, { terms: 1300 * 18, scale: size });
        expect(learned.map(([name]) => name).sort()).toEqual(Object.keys(want.gradNorms).sort());
        for (const [name, parameter] of learned) {
          const grad = parameter.grad;
          if (!grad) throw new Error(`${name} has no gradient`);
          const drift = Math.abs(norm(await grad.data()) / (want.gradNorms[name] ?? Number.NaN) - 1);
          expect(drift, `norm of the gradient of ${name}`).toBeLessThan(gradientAgreement);
          const whole = file.tensors.get(`${entry.stride}.grad.${name}`);
          if (whole) expect(await relativeError(grad, whole, name), name).toBeLessThan(gradientAgreement);
        }
      });
    },
    120_000,
  );

  it("follows PyTorch's losses for 3 steps of SGD", async () => {
    await device.scope(async () => {
      const { net, x, y, learned } = start(entry, golden, false);
      const parameters = learned.map(([, parameter]) => parameter);
      const sgd = new optim.SGD(parameters, golden.options);
      const losses: number[] = [];
      for (let step = 0; step < want.losses.length; step++) {
        sgd.zeroGrad();
        const loss = crossEntropy(net.forward(x) as Tensor, y, { ignoreIndex: 255 });
        loss.backward();
        sgd.step();
        losses.push(await loss.item());
      }
      const drift = losses.map((loss, i) => Math.abs(loss / (want.losses[i] ?? Number.NaN) - 1));
      expect(drift).toHaveLength(4);
      expect(Math.max(...drift), `losses ${losses} want ${want.losses}`).toBeLessThan(agreement);
    });
  }, 120_000);
});

describe("fcn32s-alexnet over ten steps of", () => {
  const golden = JSON.parse(readGolden("fcn_alexnet").metadata.golden ?? "{}") as Golden;
  const entry = cases.find(({ model }) => model === "fcn32s-alexnet") as Case;

  it.each(Object.entries(golden.regimes ?? {}))("%s learning follows PyTorch's losses", async (_, regime) => {
    await device.scope(async () => {
      const { net, x, y, learned } = start(entry, golden, false);
      const { lr, momentum, weightDecay, reduction, images } = regime;
      const ending = (end: string) => learned.filter(([name]) => name.endsWith(end)).map(([, parameter]) => parameter);
      const groups = [
        { params: ending("weight"), weightDecay },
        { params: ending("bias"), lr: 2 * lr },
      ];
      const sgd = new optim.SGD(groups, { lr, momentum });
      const losses: number[] = [];
      for (let step = 0; step < regime.losses.length; step++) {
        sgd.zeroGrad();
        let total = 0;
        for (let i = 0; i < images; i++) {
          const at = (step * images + i) % golden.batch;
          const logits = net.forward(slice(x, [[at, at + 1]])) as Tensor;
          const loss = mul(crossEntropy(logits, slice(y, [[at, at + 1]]), { ignoreIndex: 255, reduction }), 1 / images);
          loss.backward();
          total += await loss.item();
        }
        sgd.step();
        losses.push(total);
      }
      const drift = losses.map((loss, i) => Math.abs(loss / (regime.losses[i] ?? Number.NaN) - 1));
      expect(drift).toHaveLength(10);
      expect(Math.max(...drift), `losses ${losses} want ${regime.losses}`).toBeLessThan(agreement);
    });
  });

  it("knows both of them", () => expect(Object.keys(golden.regimes ?? {})).toEqual(["heavy", "cvpr15"]));
});
