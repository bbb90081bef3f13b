/** The work that stub GPUs are given: a training step and a prediction of a net, image and labels of 320x480. */

import * as fcn from "@fcn/core";
import { crossEntropy, noGrad, optim } from "@fcn/tensor";

const [HEIGHT, WIDTH, CLASSES] = [320, 480, 21];

/**
 * Functions that encode the work of a training step, of a prediction, and of one with features in float16; the caller's
 * scope frees what they make.
 * @returns {Record<"train" | "predict" | "predictHalf", () => object>}
 */
export function openSteps(device, name) {
  const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 });
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3, momentum: 0.9 });
  const image = device.randn([1, 3, HEIGHT, WIDTH], { seed: 2 });
  const labels = device.zeros([1, HEIGHT, WIDTH], { dtype: "int32" });
  const scoresOf = (x) => {
    const scores = net.forward(x);
    return "shape" in scores ? scores : scores.out;
  };
  const train = () => {
    net.train();
    const loss = crossEntropy(scoresOf(image), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const predict = () => {
    net.eval();
    return noGrad(() => scoresOf(image));
  };
  const predictHalf = () => {
    net.eval();
    return noGrad(() => scoresOf(image.to("float16")));
  };
  return { train, predict, predictHalf };
}

/**
 * @returns {Record<"train" | "predict" | "trainCaptured" | "predictCaptured", () => Promise<void>>} functions that
 *   encode and submit all work
 */
export function openWork(device, name) {
  const { train, predict } = openSteps(device, name);
  const freed = (run) => () =>
    device.scope(async () => {
      await run();
    });
  return {
    train: freed(train),
    predict: freed(predict),
    trainCaptured: freed(device.capture(train)),
    predictCaptured: freed(device.capture(predict)),
  };
}
