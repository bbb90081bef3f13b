import { encodeOnnx, models } from "@fcn/core";
import { createDevice, crossEntropy, optim, type Tensor } from "@fcn/tensor";
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
    const { runtime, software } = device.info;
    return { runtime, software, logits, loss: await loss.item(), trained, onnxBytes };
  } finally {
    device.destroy();
  }
}

const values = async (tensor: Tensor): Promise<number[]> => Array.from(await tensor.data());
