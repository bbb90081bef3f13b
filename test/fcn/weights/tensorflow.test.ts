import * as fcn from "@fcn/core";
import { createDevice, type Device, io, noGrad, type Tensor, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGolden, tensorOf } from "../../support/golden.js";
import { nsfwjsModel } from "../../support/tfjs-files.js";

const golden = readGolden("tfjs_models");
let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

/** The image of test/golden/tfjs_models.mjs, in the values that the net takes. */
function makeInput(height: number, width: number, scale: number, shift: number): Float32Array {
  return Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return (((3 * x * x + 5 * y * y + 7 * x * y + 61 * c) % 256) / 255) * scale + shift;
  });
}

/** A net that returns the values of the given nodes, cut after the last of them. */
function featureNet(model: string, options: fcn.models.ModelOptions, nodes: readonly string[]): fcn.models.GraphNet {
  const { graph } = fcn.models.graphOf(model, options);
  const last = Math.max(...nodes.map((name) => graph.nodes.findIndex((node) => node.name === name)));
  const outputs = Object.fromEntries(nodes.map((name) => [name, name]));
  return new fcn.models.GraphNet(device, { ...graph, nodes: graph.nodes.slice(0, last + 1), outputs }, 0);
}

interface Case {
  readonly file: Parameters<typeof nsfwjsModel>[0];
  readonly model: string;
  readonly options: fcn.models.ModelOptions;
  readonly convert: (weights: Record<string, io.HostArray>) => Record<string, io.HostArray>;
  /** Height, width, then what 0..1 is multiplied by and what is added. */
  readonly image: readonly [number, number, number, number];
  /** Name in the golden file -> node of our graph. */
  readonly features: Readonly<Record<string, string>>;
}

const tensorflow = { numClasses: 2, samePadding: true };
const relu6 = ".relu6";
const CASES: readonly Case[] = [
  {
    file: "mobilenet_v2",
    model: "fcn16s-mobilenetv2",
    options: { ...tensorflow, bnEps: 1e-3 },
    convert: fcn.weights.mobilenetV2FromTensorFlow,
    image: [64, 96, 1, 0],
    features: {
      block_6_expand_relu: `backbone.features.7.conv.0.1${relu6}`,
      block_12_add: "backbone.features.13.add",
      block_13_expand_relu: `backbone.features.14.conv.0.1${relu6}`,
      out_relu: `backbone.features.18.1${relu6}`,
    },
  },
  {
    file: "mobilenet_v2_mid",
    model: "fcn16s-mobilenetv2",
    options: { ...tensorflow, bnEps: 1e-3, widthMultiplier: 1.4 },
    convert: fcn.weights.mobilenetV2FromTensorFlow,
    image: [64, 96, 2, -1],
    features: {
      "expanded_conv_12/add": "backbone.features.13.add",
      "expanded_conv_13/expand/Relu6": `backbone.features.14.conv.0.1${relu6}`,
      "Conv_1/Relu6": `backbone.features.18.1${relu6}`,
    },
  },
  {
    file: "inception_v3",
    model: "fcn16s-inceptionv3",
    options: { ...tensorflow, padding: 0, lastStage: "Mixed_6e" },
    convert: fcn.weights.inceptionV3FromKeras,
    image: [91, 107, 1, 0],
    features: { mixed2: "backbone.Mixed_5d", mixed7: "backbone.Mixed_6e" },
  },
];

describe("weights from TensorFlow", () => {
  it.each(CASES)(
    "of $file give the features that tfjs computes",
    async ({ file, model, options, convert, image, features }) => {
      using net = featureNet(model, options, Object.values(features));
      const weights = convert(await io.readTfjs(nsfwjsModel(file)));
      const report = net.loadStateDict(weights, { strict: false });
      expect(report.missing).toEqual([]);
      net.eval();
      const [height, width, scale, shift] = image;
      await device.scope(async () => {
        const x = device.tensor(makeInput(height, width, scale, shift), [1, 3, height, width]);
        const outputs = noGrad(() => net.forward(x)) as unknown as Record<string, Tensor>;
        for (const [name, node] of Object.entries(features)) {
          const want = tensorOf(golden, `${file}/${name}`);
          const got = outputs[node] as Tensor;
          expect(got.shape).toEqual(want.shape);
          const values = await got.data();
          const range = Math.max(...want.data) - Math.min(...want.data);
          let largest = 0;
          for (const [i, value] of values.entries()) largest = Math.max(largest, Math.abs(value - want.data[i]!));
          expect(largest / range, name).toBeLessThan(2e-5);
        }
      });
    },
  );

  it.each(CASES)(
    "of $file name every parameter of the whole backbone, and nothing else",
    async ({ file, model, options, convert }) => {
      const { lastStage: _, padding: __, ...whole } = options;
      using net = fcn.models.create(model, device, whole);
      const backbone = Object.entries(net.stateDict()).filter(([name]) => name.startsWith("backbone."));
      const shapes = (entries: [string, { shape: readonly number[] }][]) =>
        entries.map(([name, { shape }]) => `${name} ${shape}`);
      const weights = convert(await io.readTfjs(nsfwjsModel(file)));
      expect(shapes(Object.entries(weights)).sort()).toEqual(shapes(backbone).sort());
    },
  );

  it("take Keras layers by the order of their numbers, wherever those start", async () => {
    const weights = await io.readTfjs(nsfwjsModel("inception_v3"));
    const renumbered = Object.entries(weights).map(([name, value]): [string, io.HostArray] => {
      return [name.replace(/_(\d+)\//, (_, n: string) => (n === "1" ? "/" : `_${Number(n) - 1}/`)), value];
    });
    const reversed = Object.fromEntries(renumbered.reverse());
    const want = fcn.weights.inceptionV3FromKeras(weights);
    for (const [name, { data }] of Object.entries(fcn.weights.inceptionV3FromKeras(reversed))) {
      expect(bytes(data).equals(bytes(want[name]!.data)), name).toBe(true);
    }
  });

  it("are refused when one is absent, or when they are another net's", async () => {
    const mobile = await io.readTfjs(nsfwjsModel("mobilenet_v2"));
    const inception = await io.readTfjs(nsfwjsModel("inception_v3"));
    const { "block_7_project/kernel": _, ...incomplete } = mobile;
    const { "conv2d_94/kernel": __, ...short } = inception;
    expect(() => fcn.weights.mobilenetV2FromTensorFlow(incomplete)).toThrowError("hold no block_7_project/kernel");
    expect(() => fcn.weights.mobilenetV2FromTensorFlow(inception)).toThrowError("hold no Conv1/kernel");
    expect(() => fcn.weights.inceptionV3FromKeras(mobile)).toThrowError("hold 0 layers called conv2d_<number>");
    expect(() => fcn.weights.inceptionV3FromKeras(short)).toThrowError("hold 93 layers called conv2d_<number>");
    expect(() => fcn.weights.mobilenetV2FromTensorFlow({})).toThrowError(TensorError);
  });
});

describe("kernels from TensorFlow", () => {
  const kernel = (shape: number[]): io.HostArray => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
    return { dtype: "float32", shape, data };
  };

  it("turn from [H, W, in, out] to [out, in, H, W]", () => {
    const { shape, data } = fcn.weights.convKernel(kernel([2, 3, 4, 5]));
    expect(shape).toEqual([5, 4, 2, 3]);
    expect(data[((3 * 4 + 2) * 2 + 1) * 3 + 2]).toBe(((1 * 3 + 2) * 4 + 2) * 5 + 3);
  });

  it("turn from [H, W, channels, multiplier] to one kernel a group and multiple", () => {
    const { shape, data } = fcn.weights.depthwiseKernel(kernel([2, 3, 4, 2]));
    expect(shape).toEqual([8, 1, 2, 3]);
    const [channel, multiple] = [3, 1];
    expect(data[((channel * 2 + multiple) * 2 + 1) * 3 + 2]).toBe(((1 * 3 + 2) * 4 + channel) * 2 + multiple);
  });
});
