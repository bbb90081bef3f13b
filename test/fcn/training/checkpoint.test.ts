import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, optim } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { makeSample, RAW, smallNet } from "../prediction/nets.js";
import { weightsOf } from "./states.js";
import { TINY_CLASSES, writeTinyData } from "./tinyData.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const SETTINGS = { preprocessing: RAW, numClasses: 3, steps: 4, learningRate: 1e-4, optimizer: "adamw" } as const;

it("a checkpoint is one file from which a training goes on to the same bits, whatever holds it", async () => {
  using whole = smallNet(device);
  let bytes = new Uint8Array();
  const metadata = { classes: ["a", "b", "c"] };
  await fcn.train({
    ...SETTINGS,
    model: whole,
    data: [makeSample()],
    pauseAt: (step) => step === 3,
    onProgress: async ({ step, open }, optimizer, scaler, average) => {
      if (step !== 3) return;
      expect(open).toEqual({ count: 3, sum: expect.any(Number) });
      bytes = await fcn.encodeCheckpoint(whole, { step, optimizer, scaler, average, open, metadata });
    },
  });
  const want = await weightsOf(whole);
  for (const source of [bytes, bytes.buffer, new Blob([bytes]), new Response(bytes)]) {
    using net = smallNet(device, { seed: 9 });
    const from = await fcn.loadCheckpoint(source, net);
    expect(from).toMatchObject({ step: 3, open: { count: 3 } });
    expect(Object.keys(from).sort()).toEqual(["open", "optimizer", "step"]);
    await fcn.train({ ...SETTINGS, model: net, data: [makeSample()], from });
    expect(await weightsOf(net)).toEqual(want);
  }
  const { model, metadata: described } = await fcn.loadModel(bytes, device);
  expect(described).toMatchObject({ model: "small", classes: ["a", "b", "c"], preprocessing: RAW });
  model.dispose();
});

it("what is no checkpoint, or one of another net, is refused", async () => {
  using net = smallNet(device);
  using other = smallNet(device, { numClasses: 4 });
  using optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  const weights = await fcn.encodeModel(net);
  await expect(fcn.loadCheckpoint(weights, net)).rejects.toMatchObject({
    code: "checkpoint-mismatch",
    message:
      "loadCheckpoint: the given bytes: this is no checkpoint of a training; checkpoints of the format 2 are read",
    fix: expect.stringContaining("loadModel"),
  });
  const bytes = await fcn.encodeCheckpoint(net, { step: 1, optimizer });
  const before = await weightsOf(other);
  await expect(fcn.loadCheckpoint(bytes, other)).rejects.toMatchObject({ code: "state-dict-mismatch" });
  expect(await weightsOf(other)).toEqual(before);
  await expect(fcn.encodeCheckpoint(net, { step: -1, optimizer })).rejects.toThrow(/encodeCheckpoint: step is -1/);
  const text = new Blob(["no file of weights"]);
  await expect(fcn.loadCheckpoint(text, net)).rejects.toMatchObject({ code: "unsupported-file" });
  const stream = { next: async () => ({ done: true as const, value: undefined }) };
  const options = { open: async () => device, build: () => net, data: stream, ...SETTINGS };
  await expect(fcn.trainRecovering(options as never)).rejects.toThrow(
    /data is a stream of batches, which cannot go back/,
  );
});

it("the checkpoint of a run is one too", async () => {
  const root = await temporaryFolder("fcn-checkpoint");
  const data = await writeTinyData(join(root, "data"), 6);
  const out = join(root, "run");
  const sizes = { batchSize: 2, crop: [16, 16], workers: 0 } as const;
  await fcn.trainRun({ data, out, model: "fcn32s-small", steps: 2, learningRate: 1e-3, seed: 1, device, ...sizes });
  const folder = join(out, "checkpoint");
  const [name = ""] = await readdir(folder);
  using net = fcn.models.create("fcn32s-small", device, { numClasses: TINY_CLASSES.length });
  const from = await fcn.loadCheckpoint(join(folder, name), net);
  expect(from.step).toBe(2);
  const { model } = await fcn.loadModel(await readFile(join(out, "weights.safetensors")), device);
  expect(await weightsOf(net)).toEqual(await weightsOf(model));
  model.dispose();
});
