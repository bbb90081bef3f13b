import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validate } from "../../../packages/fcn/dist/training/run/validate.js";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "./tinyData.js";

const root = await temporaryFolder("fcn-validate");
const { splits } = await fcn.data.open(await writeTinyData(join(root, "data"), 9), { validation: 0.8 });
const [train, val] = [splits.train!, splits.val!];

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("validation", () => {
  it.each([0, 2])(
    "counts as the metrics do on the labels, and ranks the pictures, with %d workers",
    async (workers) => {
      const options = { numClasses: 3, seed: 2, widthMultiplier: 0.25 };
      using model = fcn.models.create("fcn8s-small", device, options);
      for (const [name, parameter] of model.namedParameters()) {
        if (name.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 5 }));
      }
      const preprocessing = fcn.data.IMAGENET_MEAN;
      const metadata = { model: "fcn8s-small", options, classes: TINY_CLASSES, palette: [], preprocessing };
      await using loader = new fcn.data.DataLoader(train, { batchSize: 1, preprocessing, workers });
      model.train();
      const before = device.memory().liveTensors;
      const found = await validate(model, await loader.samplesOf(val), { metadata, step: 7 });
      expect(model.training).toBe(true);
      expect(device.memory().liveTensors).toBe(before);

      const all = new fcn.SegmentationMetrics(3);
      const pictures: { index: number; meanIU: number }[] = [];
      for (let index = 0; index < val.length; index++) {
        const { image, labels } = await val.load(index);
        const prediction = await fcn.predict(model, image, { preprocessing });
        const own = new fcn.SegmentationMetrics(3).update(prediction.labels, labels);
        all.merge(own);
        pictures.push({ index, meanIU: own.compute().meanIU });
      }
      expect(found.step).toBe(7);
      expect(found.scores).toEqual(all.compute());
      expect(found.scores.confusion.flat().every(Number.isInteger)).toBe(true);
      const ranked = pictures.sort((a, b) => a.meanIU - b.meanIU);
      expect(ranked.length).toBeGreaterThanOrEqual(6);
      expect(found.worst).toEqual(ranked.slice(0, 3));
      expect(found.best).toEqual(ranked.slice(-3).reverse());
    },
  );
});
