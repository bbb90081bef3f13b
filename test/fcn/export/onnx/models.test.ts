import { models } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeOnnx, structuralFaults } from "../../../support/onnx.js";
import { expectAgreement } from "../../../support/onnx-agreement.js";
import { fillWeights } from "../../../support/random-weights.js";

type Options = Partial<models.ModelOptions>;

/**
 * Narrow, so that a net takes a second; the first that fits the name. A model without a row that cannot be narrowed so
 * fails here.
 */
const NARROW: readonly (readonly [RegExp, Options])[] = [[/./, { widthMultiplier: 1 / 16 }]];

/** Forms of a net that its default options leave out. */
const VARIANTS: readonly (readonly [string, Options])[] = [
  ["fcn8s-vgg16", { dense: true, deconv: "learned" }],
  ["fcn8s-vgg16", { batchNorm: true, inChannels: 4, fusion: "max" }],
  ["fcn8s-vgg16", { backboneStride: 8, dilate: true, padding: 150 }],
  ["fcn16s-inceptionv3", { samePadding: true, lastStage: "Mixed_6e" }],
  ["fcn_resnet50", { auxLoss: false }],
];

const CASES = [...models.list().map((name) => [name, {}] as const), ...VARIANTS].map(([name, options]) => {
  const named = Object.entries(options).map(([option, value]) => ` ${option}=${value}`);
  return { title: name + named.join(""), name, options };
});

/** Sizes that no net is made for: a multiple of 32 in one direction, and odd in both. */
const IMAGES = [
  { batch: 2, height: 64, width: 52 },
  { batch: 1, height: 45, width: 67 },
];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("in onnxruntime", () => {
  it.each(CASES)("$title computes the same", async ({ name, options }) => {
    const narrow = NARROW.find(([pattern]) => pattern.test(name))?.[1];
    const net = models.create<models.NetOutput>(name, device, { numClasses: 3, ...narrow, ...options });
    try {
      fillWeights(net, name);
      const model = decodeOnnx(await expectAgreement(net, device, IMAGES));
      expect(structuralFaults(model)).toEqual([]);
      expect(model.graph.output.map((output) => output.name)).toEqual(Object.keys(net.graph.outputs));
    } finally {
      net.dispose();
    }
  });
});

describe("TensorFlow's padding", () => {
  // Crops lie elsewhere for every remainder of a division by the strides.
  const images = Array.from({ length: 8 }, (_, i) => ({ batch: 1, height: 41 + 5 * i, width: 79 - 7 * i }));

  it.each(["fcn4s-mobilenetv2", "fcn8s-inceptionv3"])("in %s agrees at all remainders", async (name) => {
    const net = models.create(name, device, { numClasses: 3, widthMultiplier: 1 / 16, samePadding: true });
    fillWeights(net, name);
    await expectAgreement(net, device, images);
    net.dispose();
  });
});
