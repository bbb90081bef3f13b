/** The work that stub GPUs are given: a training step and a prediction of a net, image and labels of 320x480. */

import * as fcn from "@fcn/core";
import { crossEntropy, noGrad, optim, upsampledArgmax, upsampledCrossEntropy } from "@fcn/tensor";

const [HEIGHT, WIDTH, CLASSES] = [320, 480, 21];

/**
 * Functions that encode the work of a training step and of a prediction, up to the labels where the last upsampling is
 * fixed, with features in `precision`; the caller's scope frees what they make.
 * @param {"float32" | "float16"} precision
 * @returns {Record<"train" | "predict", () => object>}
 */
export function openSteps(device, name, precision = "float32") {
  const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 });
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3, momentum: 0.9 });
  const image = device.randn([1, 3, HEIGHT, WIDTH], { seed: 2 });
  const labels = device.zeros([1, HEIGHT, WIDTH], { dtype: "int32" });
  const scores = () => net.scores(image.to(precision)).out;
  const train = () => {
    net.train();
    const { values, upsampling } = scores();
    const loss = upsampling ? upsampledCrossEntropy(values, labels, upsampling) : crossEntropy(values, labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const predict = () => {
    net.eval();
    return noGrad(() => {
      const { values, upsampling } = scores();
      return upsampling ? upsampledArgmax(values.to("float32"), upsampling) : values;
    });
  };
  return { train, predict };
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
