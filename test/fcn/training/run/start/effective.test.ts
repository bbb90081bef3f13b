import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../data/trees.js";
import { writeTinyData } from "../../tinyData.js";
import { tinyRun } from "../../tinyRun.js";

const root = await temporaryFolder("fcn-effective");

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

it("repeats a run from code by its config.json, also by settings without a flag", async () => {
  const data = await writeTinyData(join(root, "data"), 5);
  const graph = fcn.models.create("fcn32s-small", device, { numClasses: 3, widthMultiplier: 0.25 }).graph;
  const { modelOptions: _, ...plain } = tinyRun(data, device);
  const further = { lossSampling: { probability: 0.5 }, trainable: "scores", mirror: false, patience: 9 } as const;
  const loss = { kind: "dice", crossEntropy: 0.5 } as const;
  const own = { ...plain, model: graph, ...further, loss, augmentation: { rotate: 20 }, epochs: 2, batchSize: 2 };
  const [out, again] = [join(root, "first"), join(root, "again")];
  const first = await fcn.trainRun({ ...own, out, open: { validation: 0.4, seed: 2 } });
  const options = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
  expect(options).toMatchObject({ ...further, loss, data, steps: 3, augmentation: { rotate: 20 } });
  const second = await fcn.trainRun({ ...options, device, out: again });
  expect(second.configuration).toEqual(first.configuration);
  const weights = (folder: string) => io.readSafetensors(join(folder, "weights.safetensors"));
  expect(await weights(again)).toEqual(await weights(out));
  expect(await readFile(join(again, "metrics.csv"))).toEqual(await readFile(join(out, "metrics.csv")));
});
