import * as fcn from "@fcn/core";
import { createDevice, type Device, nn, relu, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeImage, RAW, smallNet } from "./nets.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const options = { preprocessing: RAW, tile: [16, 20] as const, overlap: 4, scales: [1, 1.5], probabilities: true };

class Broken extends nn.Module {
  constructor(readonly net: nn.Module) {
    super();
  }

  override forward(x: Tensor): never {
    relu(x);
    throw new Error("mine");
  }
}

it("predictions and an evaluation on one device may run at the same time", async () => {
  const net = smallNet(device).train();
  const images = [1, 2, 3, 4].map((seed) => makeImage(40, 52, seed));
  const alone: fcn.Prediction[] = [];
  for (const image of images) alone.push(await fcn.predict(net, image, options));
  const samples = images.map((image, n) => ({ name: `${n}`, image, labels: (alone[n] as fcn.Prediction).labels }));
  const { probabilities: _, ...seen } = options;
  const all = async () => {
    const found: fcn.Prediction[] = [];
    for await (const { prediction } of fcn.predictAll(net, images, options)) found.push(prediction as fcn.Prediction);
    return found;
  };
  const before = device.memory().liveTensors;
  const [first, second, scores, failure, stream] = await Promise.all([
    fcn.predict(net, images[0]!, options),
    fcn.predict(net, images[1]!, options),
    fcn.evaluate(net, samples, { ...seen, numClasses: 3 }),
    fcn.predict(new Broken(net), images[0]!, { preprocessing: RAW }).catch((error: unknown) => error),
    all(),
  ]);
  expect([first, second]).toEqual(alone.slice(0, 2));
  expect(stream).toEqual(alone);
  expect(scores.pixelAccuracy).toBe(1);
  expect(failure).toMatchObject({ message: "mine" });
  expect([net.training, device.memory().liveTensors]).toEqual([true, before]);
});
