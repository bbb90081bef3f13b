import { encodeOnnx, models } from "@fcn/core";
import {
  clamp,
  createDevice,
  crossEntropy,
  type Device,
  maximum,
  minimum,
  optim,
  relu,
  relu6,
  type Tensor,
} from "@fcn/tensor";
import { labels, uniform } from "./hash-values.js";
import { fillWeights } from "./random-weights.js";

/** What {@link exercise} computed, as plain arrays that cross from a browser. */
export interface Exercise {
  readonly runtime: string;
  readonly software: boolean;
  readonly logits: readonly number[];
  readonly loss: number;
  /** Logits after one step of training. */
  readonly trained: readonly number[];
  readonly onnxBytes: number;
  /** What {@link ofNaN} returns. */
  readonly ofNaN: string;
  /** Losses of training steps that ran, and of the same ones captured. */
  readonly steps: Readonly<Record<"run" | "captured", readonly number[]>>;
}

/** One forward pass and one step of training of a small FCN-8s, the same in Node and in a browser. */
export async function exercise(): Promise<Exercise> {
  const device = await createDevice({ quiet: true });
  try {
    const net = models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 1 / 4, deconv: "learned" });
    fillWeights(net, "exercise");
    const { data, shape } = labels(2, 32, 48, 3);
    const target = device.tensor(data, [...shape], { dtype: "int32" });
    const x = device.tensor(uniform("exercise image", [2, 3, 32, 48], 1), [2, 3, 32, 48]);
    const logits = await values(net.eval().forward(x));
    const onnxBytes = (await encodeOnnx(net)).length;
    const sgd = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    const loss = crossEntropy(net.train().forward(x), target);
    loss.backward();
    sgd.step();
    const trained = await values(net.eval().forward(x));
    const steps = { run: await lossesOf(device, x, target, false), captured: await lossesOf(device, x, target, true) };
    const { runtime, software } = device.info;
    const numbers = { logits, loss: await loss.item(), trained, onnxBytes, ofNaN: await ofNaN(device), steps };
    return { runtime, software, ...numbers };
  } finally {
    device.destroy();
  }
}

/** The losses of a few training steps. */
async function lossesOf(device: Device, x: Tensor, target: Tensor, isCaptured: boolean): Promise<number[]> {
  const net = models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 1 / 4, seed: 1 });
  const sgd = new optim.SGD(net.train().parameters(), { lr: 0.05, momentum: 0.9 });
  const step = (images: Tensor, labels: Tensor): Tensor => {
    const loss = crossEntropy(net.forward(images), labels);
    loss.backward();
    sgd.step();
    sgd.zeroGrad();
    return loss;
  };
  const run = isCaptured ? device.capture(step) : step;
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push(await (await run(x, target)).item());
  return losses;
}

/** What ops that compilers like to fold make of NaN, 1 and -1, and the gradient of relu. */
async function ofNaN(device: Device): Promise<string> {
  const x = device.tensor([Number.NaN, 1, -1], [3], { requiresGrad: true });
  const results = [relu(x), relu6(x), clamp(x, { min: 0 }), maximum(x, 0), minimum(0, x)];
  results[0]?.backward(device.ones([3]));
  return (await Promise.all([...results, x.grad!].map(values))).join(" ");
}

const values = async (tensor: Tensor): Promise<number[]> => Array.from(await tensor.data());
