import * as t from "@fcn/tensor";
import { io, nn, optim } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let d: t.Device;
let x: t.Tensor;
let w: t.Tensor;
let labels: t.Tensor;
beforeAll(async () => {
  d = await t.createDevice({ quiet: true });
  x = d.randn([1, 3, 8, 8], { seed: 1 });
  w = d.randn([4, 3, 3, 3], { seed: 2 });
  labels = d.zeros([1, 8, 8], { dtype: "int32" });
});
afterAll(() => d.destroy());

/** Calls as people write them in JavaScript, where no compiler objects. */
type Case = readonly [call: string, message: string];
const run = (call: string): unknown =>
  new Function("t", "nn", "optim", "d", "x", "w", "labels", `return ${call};`)(t, nn, optim, d, x, w, labels);

describe("a misspelt or unknown option is refused, and the right one named", () => {
  const cases: readonly Case[] = [
    ["t.conv2d(x, w, undefined, { strid: 2 })", 'conv2d: there is no option "strid"; did you mean "stride"?'],
    ["t.convTranspose2d(x, w, undefined, { output_padding: 1 })", 'did you mean "outputPadding"?'],
    ["t.maxPool2d(x, { kernal_size: 2 })", 'did you mean "kernelSize"?'],
    ["t.maxPool2d(x, { kernelSize: 2, ceil_mode: true })", 'did you mean "ceilMode"?'],
    ["t.avgPool2d(x, { kernelSize: 2, dilation: 2 })", 'avgPool2d: there is no option "dilation"'],
    ["t.crossEntropy(x, labels, { ignore_index: 0 })", 'did you mean "ignoreIndex"?'],
    ["t.crossEntropy(x, labels, { labelSmoothing: 0.1 })", 'there is no option "labelSmoothing"'],
    ["t.sum(x, { axis: 1 })", 'did you mean "dim"?'],
    ["t.argmax(x, { axis: 1 })", 'did you mean "dim"?'],
    ["t.max(x, { keepDim: true, dim: 1 })", 'did you mean "keepdim"?'],
    ["t.interpolate(x, { size: 4, mode: 'bilinear', align_corners: true })", 'did you mean "alignCorners"?'],
    ["t.pad(x, [[0, 0], [0, 0], [1, 1], [1, 1]], { val: 1 })", 'pad: there is no option "val"'],
    ["t.softmax(x, { axis: 1 })", 'did you mean "dim"?'],
    ["d.tensor([1], [1], { requires_grad: true })", 'did you mean "requiresGrad"?'],
    ["d.zeros([1], { dType: 'int32' })", 'did you mean "dtype"?'],
    [
      "new nn.Conv2d(d, 3, 8, { kernel_size: 3 })",
      'nn.Conv2d: there is no option "kernel_size"; did you mean "kernelSize"?',
    ],
    ["new nn.BatchNorm2d(d, 3, { affine: false })", 'nn.BatchNorm2d: there is no option "affine"'],
    ["new nn.MaxPool2d({ kernal_size: 2 })", 'nn.MaxPool2d: there is no option "kernal_size"'],
    [
      "new optim.SGD([w], { weight_decay: 0.1 })",
      'SGD: there is no option "weight_decay"; did you mean "weightDecay"?',
    ],
    ["new optim.SGD([{ params: [w], learningRate: 1 }])", 'did you mean "lr"?'],
    ["new optim.AdamW([w], { maximize: true })", 'AdamW: there is no option "maximize"'],
    ["optim.lrScheduler.poly(new optim.SGD([w]), { steps: 10 })", 'lrScheduler.poly: there is no option "steps"'],
  ];
  it.each(cases)("%s", (call, message) => {
    expect(() => run(call)).toThrow(expect.objectContaining({ name: "TensorError", code: "invalid-argument" }));
    expect(() => run(call)).toThrow(message);
  });
});

describe("an argument of the wrong kind is refused by name", () => {
  const cases: readonly Case[] = [
    ["t.conv2d(x, w, { stride: 2 })", "conv2d: bias is an object with stride, expected a tensor"],
    ["t.conv2d(x, w, undefined, { padding: 'same' })", 'conv2d: padding is "same", expected a whole number'],
    ["t.conv2d(x, w, undefined, 2)", "conv2d: the options are 2, expected an object"],
    ["t.sum(x, 1)", "sum: the options are 1, expected an object"],
    ["t.max(x, [1])", "max: the options are a list, expected an object"],
    ["t.sum(x, { dim: null })", "sum: dim is null"],
    ["t.concat(x, x)", "concat: the first argument is not a list of tensors"],
    ["t.concat([x, x], 1)", "concat: the options are 1, expected an object"],
    ["t.concat([t.sum(x), t.sum(x)])", "concat: a scalar has no dimension to join along"],
    ["t.add(x, '2')", 'add: b is "2", expected a tensor'],
    ["t.add(x, [1])", "add: b is a list, expected a tensor"],
    ["t.add(x)", "add: b is undefined, expected a tensor"],
    ["t.relu([1])", "relu: x is a list, expected a tensor"],
    ["t.matmul(x, 2)", "matmul: b is 2, expected a tensor"],
    ["t.crossEntropy(x, labels, { weight: [1, 1, 1] })", "crossEntropy: weight is a list, expected a tensor"],
    ["t.maxPool2d(x)", "maxPool2d: the options are missing, expected an object"],
    ["t.maxPool2d(x, {})", "maxPool2d: kernelSize is missing"],
    ["t.slice(x, [0, 1])", "slice: ranges is [0,1], expected a list of [start, end]"],
    ["t.flip(x)", "flip: the options are missing"],
    ["t.leakyRelu(x, { slope: 0.1 })", 'leakyRelu: slope is {"slope":0.1}, expected a number'],
    ["t.clamp(x, 0, 1)", "clamp: the options are 0, expected an object"],
    ["t.clamp(x, { min: NaN })", "clamp: min is NaN"],
    ["t.dropout(x, 0.9)", "dropout: the options are 0.9, expected an object"],
    ["t.interpolate(x, { scaleFactor: NaN })", "interpolate: scaleFactor is NaN"],
    ["t.reshape(x, -1)", "reshape: shape is -1, expected a list of numbers"],
    ["x.reshape(4, 48)", "reshape: shape is 4, expected a list of numbers"],
    ["x.permute(0, 2, 3, 1)", "permute: dims is 0, expected a list of numbers"],
    ["x.backward({ retainGraph: true })", "backward: gradient is an object with retainGraph, expected a tensor"],
    ["d.zeros(3)", "shape is 3, expected a list of numbers"],
    ["d.rand([2], { low: 3, high: 1 })", "low is 3 and high 1"],
    ["t.batchNorm(x, { training: true, eps: -1 })", "batchNorm: eps is -1"],
    ["t.batchNorm(x, { training: true, momentum: null })", "batchNorm: momentum is null"],
    ["new nn.Conv2d(d, 3, 8, 3)", "nn.Conv2d: the options are 3, expected an object"],
    ["new nn.Conv2d(d, 3, 8)", "nn.Conv2d: the options are missing"],
    ["new nn.Conv2d(d, 3, 8, {})", "nn.Conv2d: kernelSize is missing"],
    ["new nn.Conv2d(d, 3, 8, { kernelSize: 3, stride: 0 })", "nn.Conv2d: stride is 0"],
    ["new nn.Conv2d(d, 3, 8, { kernelSize: 3, padding: 'same' })", 'nn.Conv2d: padding is "same"'],
    ["new nn.ConvTranspose2d(d, 3, 8, 4)", "nn.ConvTranspose2d: the options are 4"],
    ["new nn.MaxPool2d()", "nn.MaxPool2d: the options are missing"],
    ["new nn.Dropout(0.2)", "nn.Dropout: the options are 0.2, expected an object"],
    ["new nn.Dropout({ p: 2 })", "nn.Dropout: p is 2"],
    ["new nn.Sequential([new nn.ReLU()])", "nn.Sequential: module 0 is a list"],
    ["new nn.ReLU().loadStateDict()", "loadStateDict: the state is undefined"],
    ["new optim.SGD([w], 0.1)", "SGD: the options are 0.1, expected an object"],
    ["new optim.SGD(w, { lr: 1 })", "SGD: params is an object"],
    ["optim.lrScheduler.step(new optim.SGD([w]))", "lrScheduler.step: the options are missing"],
    ["optim.clipGradNorm(w, 1)", "clipGradNorm: parameters is an object"],
  ];
  it.each(cases)("%s", (call, message) => {
    expect(() => run(call)).toThrow(expect.objectContaining({ name: "TensorError" }));
    expect(() => run(call)).toThrow(message);
  });

  it("in asynchronous calls too", async () => {
    await expect(d.scope((s) => s.keep(5 as never))).rejects.toThrow("scope.keep: 5 is not a tensor");
    await expect(t.createDevice({ powerPreference: "fast" as never })).rejects.toThrow('powerPreference is "fast"');
    await expect(t.createDevice({ adaptor: "software" } as never)).rejects.toThrow('did you mean "adapter"?');
    await expect(io.encodeSafetensors("weights.safetensors" as never)).rejects.toThrow(
      "expected tensors or host arrays",
    );
  });
});

it("a scalar counts as of one dimension where it is reduced, as in PyTorch", async () => {
  using scalar = d.tensor([3], []);
  for (const dim of [0, -1]) {
    expect(await t.sum(scalar, { dim }).item()).toBe(3);
    expect(await t.softmax(scalar, { dim }).item()).toBe(1);
  }
  expect(() => t.sum(scalar, { dim: 1 })).toThrow(expect.objectContaining({ fix: "pass a dim from -1 to 0" }));
});
