import * as t from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { DEVICES, expectNear, halves, openDevices, tensorOf } from "../../support/float16.js";
import { UNIT } from "../../support/half.js";
import { type Nd, random } from "../../support/nd.js";

interface Case {
  /** Operands that are float16, and those that are float32 whatever the features are. */
  readonly features: readonly Nd[];
  readonly parameters?: readonly Nd[];
  readonly run: (features: readonly t.Tensor[], parameters: readonly t.Tensor[]) => t.Tensor;
}

/** The gradients of all operands, for a gradient of the result that float16 holds exactly. */
async function gradients(device: t.Device, c: Case, dtype: "float32" | "float16") {
  const features = c.features.map((x) => tensorOf(device, x, { dtype, requiresGrad: true }));
  const parameters = (c.parameters ?? []).map((x) => tensorOf(device, x, { requiresGrad: true }));
  const y = c.run(features, parameters);
  if (y.size === 1) y.backward();
  else y.backward(tensorOf(device, halves(y.shape, 99)));
  return { features: features.map(({ grad }) => grad!), parameters: parameters.map(({ grad }) => grad!) };
}

/** Those with features in float16 are those in float32, which are held to float64 elsewhere, rounded to 11 bits. */
async function check(device: t.Device, c: Case): Promise<void> {
  await device.scope(async () => {
    const [got, want] = [await gradients(device, c, "float16"), await gradients(device, c, "float32")];
    const valuesOf = async (x: t.Tensor): Promise<Nd> => ({ shape: x.shape, data: Float64Array.from(await x.data()) });
    for (const [i, wanted] of want.features.entries()) {
      const values = await valuesOf(wanted);
      expect(values.data.some((v) => v !== 0)).toBe(true);
      await expectNear(`features ${i}`, got.features[i], "float16", values, { each: UNIT });
    }
    for (const [i, wanted] of want.parameters.entries()) {
      await expectNear(`parameter ${i}`, got.parameters[i], "float32", await valuesOf(wanted), { each: 0 });
    }
  });
}

const deviceNamed = openDevices();
const POOL = { kernelSize: 3, stride: 2, padding: 1, ceilMode: true };
const image = (c: number, seed = 1): Nd => halves([2, c, 11, 14], seed);

/** Each op with one float16 operand and no other. */
const UNARY: Readonly<Record<string, { readonly x: Nd; readonly run: (x: t.Tensor) => t.Tensor }>> = {
  "maxPool2d of vectors": { x: image(8), run: (x) => t.maxPool2d(x, POOL) },
  "maxPool2d of 3 channels": { x: image(3), run: (x) => t.maxPool2d(x, POOL) },
  avgPool2d: { x: image(5), run: (x) => t.avgPool2d(x, POOL) },
  "adaptiveAvgPool2d, uneven": { x: image(5), run: (x) => t.adaptiveAvgPool2d(x, { outputSize: [4, 9] }) },
  "adaptiveAvgPool2d, one": { x: image(5), run: (x) => t.adaptiveAvgPool2d(x, { outputSize: 1 }) },
  layerNorm: { x: image(5), run: (x) => t.layerNorm(x, { normalizedShape: 14 }) },
  "interpolate, nearest": { x: image(5), run: (x) => t.interpolate(x, { size: [20, 17] }) },
  "interpolate, bilinear": { x: image(5), run: (x) => t.interpolate(x, { size: [20, 17], mode: "bilinear" }) },
  localResponseNorm: { x: image(7), run: (x) => t.localResponseNorm(x, { size: 5, alpha: 0.5, beta: 0.75, k: 2 }) },
  softmax: { x: image(21), run: (x) => t.softmax(x, { dim: 1 }) },
  logSoftmax: { x: image(21), run: (x) => t.logSoftmax(x, { dim: 1 }) },
  sum: { x: image(5), run: (x) => t.sum(x, { dim: [0, 2] }) },
  mean: { x: image(5), run: (x) => t.mean(x, { dim: 1 }) },
  "max along a dim": { x: image(5), run: (x) => t.max(x, { dim: 1 }) },
  "max of all": { x: image(5), run: (x) => t.max(x) },
  dropout: { x: image(5), run: (x) => t.dropout(x, { p: 0.25, seed: 3 }) },
  dropout2d: { x: image(5), run: (x) => t.dropout2d(x, { p: 0.25, seed: 3 }) },
  slice: { x: image(5), run: (x) => t.slice(x, [[1, 2], [1, 4], undefined, [3, 9]]) },
  pad: {
    x: image(5),
    run: (x) =>
      t.pad(x, [
        [0, 0],
        [1, 2],
        [0, 1],
        [2, 0],
      ]),
  },
  flip: { x: image(5), run: (x) => t.flip(x, { dims: [1, 3] }) },
  "reshape of permute": { x: image(5), run: (x) => t.permute(x, [0, 2, 3, 1]).reshape([2, 154 * 5]) },
};

describe.each(Object.keys(DEVICES))("gradients in float16 on a device with %s", (name) => {
  const device = (): t.Device => deviceNamed(name);

  it.each(Object.entries(UNARY))("%s", (_, { x, run }) => check(device(), { features: [x], run: ([v]) => run(v!) }));

  it("concat", () =>
    check(device(), {
      features: [image(3), image(8, 2)],
      run: ([a, b]) => t.concat([a!, b!], { dim: 1 }),
    }));

  describe.each([8, 5])("normalisation of %i channels", (c) => {
    const parameters = [random([c], 2, 0.5, 2), random([c], 3)];

    it("by its own statistics", () =>
      check(device(), {
        features: [image(c)],
        parameters,
        run: ([x], [weight, bias]) => t.batchNorm(x!, { weight, bias, training: true }),
      }));

    it.each(["relu", "relu6"] as const)("with a residual and %s", (activation) =>
      check(device(), {
        features: [image(c), image(c, 7)],
        parameters,
        run: ([x, residual], [weight, bias]) => t.batchNorm(x!, { weight, bias, training: true, residual, activation }),
      }),
    );

    it("by running statistics", () =>
      check(device(), {
        features: [image(c)],
        parameters,
        run: ([x], [weight, bias]) => {
          const [runningMean, runningVar] = [device().zeros([c]), device().full([c], 2)];
          return t.batchNorm(x!, { weight, bias, runningMean, runningVar, activation: "relu" });
        },
      }));

    it("of the whole image", () =>
      check(device(), {
        features: [image(c)],
        parameters,
        run: ([x], [weight, bias]) => t.groupNorm(x!, { groups: 1, weight, bias }),
      }));
  });

  it("the loss, which is float32", () =>
    check(device(), {
      features: [image(5)],
      run: ([x]) => {
        const target = device().tensor(
          Int32Array.from({ length: 2 * 11 * 14 }, (_, i) => (i * 7) % 5),
          [2, 11, 14],
          {
            dtype: "int32",
          },
        );
        const loss = t.crossEntropy(x!, target, { reduction: "sum" });
        expect(loss.dtype).toBe("float32");
        return loss;
      },
    }));

  it("the loss of upsampled scores", () =>
    check(device(), {
      features: [halves([1, 5, 4, 3], 1)],
      run: ([x]) => {
        const target = device().tensor(
          Int32Array.from({ length: 32 * 24 }, (_, i) => (i * 7) % 5),
          [1, 32, 24],
          {
            dtype: "int32",
          },
        );
        const rule = t.interpolateRule([4, 3], { size: [32, 24] });
        return t.upsampledCrossEntropy(x!, target, rule, { reduction: "sum" });
      },
    }));
});
