import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io, softmax } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Band, BandSink } from "../../../packages/fcn/src/prediction/bands.js";
import { enqueue } from "../../../packages/fcn/src/prediction/enqueue.js";
import { createInference } from "../../../packages/fcn/src/prediction/inference.js";
import { NpyProbabilities } from "../../../packages/fcn/src/prediction/probabilities.js";
import { temporaryFolder } from "../data/trees.js";
import { makeImage, RAW, smallNet } from "./nets.js";

const MIB = 2 ** 20;
const CLASSES = 80;
const root = await temporaryFolder("fcn-probabilities");

let device: Device;
let net: fcn.models.GraphNet;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  net = smallNet(device, { numClasses: CLASSES });
});
afterAll(() => {
  net?.dispose();
  device?.destroy();
});

/** Vitest's own comparison takes its time for millions of numbers. */
const sameBits = (a: io.HostData, b: io.HostData): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

describe("probabilities on their way to a file", () => {
  const image = makeImage(250, 331, 3);
  const { height, width } = image;

  /** Softmax of the net on the whole image, without any of what predicts. */
  function reference(): Promise<Float32Array> {
    return device.scope(async () => {
      const planes = new Float32Array(3 * height * width);
      fcn.data.normaliseInto(planes, 0, image, RAW);
      net.eval();
      const logits = net.forward(device.tensor(planes, [1, 3, height, width]));
      return (await softmax(logits as never, { dim: 1 }).data()) as Float32Array;
    });
  }

  // 25 MiB, which is more than one band.
  it.each([
    ["at once", {}],
    ["in tiles", { tile: [64, 96], overlap: 32 }],
  ] as const)("are those in memory, %s", async (name, options) => {
    const { probabilities } = await fcn.predict(net, image, { preprocessing: RAW, probabilities: true, ...options });
    expect(probabilities?.shape).toEqual([CLASSES, height, width]);
    if (name === "at once") expect(sameBits(probabilities!.data, await reference())).toBe(true);
    const path = join(root, `${name}.npy`);
    const sink = new NpyProbabilities(image, async () => path);
    const { done } = await enqueue(createInference(net, RAW, options), [image], { probabilities: sink });
    const [prediction] = await done;
    expect(prediction).not.toHaveProperty("probabilities");
    expect(await readdir(root)).not.toContain(`${name}.npy`);
    await sink.finish();
    await sink.discard();
    const { data, ...rest } = await io.readNpy(path);
    expect(rest).toEqual({ dtype: "float32", shape: [CLASSES, height, width] });
    expect(sameBits(data, probabilities!.data)).toBe(true);
    expect((await readdir(root)).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  it("are few at any time, however slowly they are taken", async () => {
    const large = makeImage(760, 800, 4);
    const total = CLASSES * large.height * large.width * 4;
    let [underWay, most, taken] = [0, 0, 0];
    // Three bands wait before the first is taken, and from there on one is taken for each that comes.
    const waiting: (() => void)[] = [];
    let isReleased = false;
    const slow: BandSink = {
      write: async ({ values }: Band) => {
        underWay += values.byteLength;
        most = Math.max(most, underWay);
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (isReleased) resolve();
          else if (waiting.length > 2 && underWay + taken < total) setTimeout(() => waiting.shift()?.(), 20);
        });
        underWay -= values.byteLength;
        taken += values.byteLength;
      },
    };
    const before = device.memory().liveTensors;
    const { done } = await enqueue(createInference(net, RAW, {}), [large], { probabilities: slow });
    // While the last band is written the device is free already.
    expect(taken).toBeLessThan(total);
    isReleased = true;
    for (const go of waiting) go();
    await done;
    expect(taken).toBe(total);
    expect(total).toBeGreaterThan(180 * MIB);
    expect(most).toBeGreaterThan(16 * MIB);
    expect(most).toBeLessThanOrEqual(64 * MIB);
    expect(device.memory().liveTensors).toBe(before);
  });

  it("stop the prediction where they cannot be written, and leave nothing", async () => {
    const large = makeImage(760, 800, 4);
    const before = device.memory().liveTensors;
    const path = join(root, "missing", "x.npy");
    const sink = new NpyProbabilities(large, async () => path);
    const predicted = enqueue(createInference(net, RAW, {}), [large], { probabilities: sink });
    await expect(predicted).rejects.toMatchObject({
      code: "unwritable-file",
      message: `createNpy: cannot write ${path}: its folder does not exist`,
    });
    await sink.discard();
    expect(device.memory().liveTensors).toBe(before);
    const half = new NpyProbabilities({ height: 2, width: 3 }, async () => join(root, "half.npy"));
    await half.write({ top: 0, height: 1, classes: 2, values: new Float32Array(6) });
    await expect(half.finish()).rejects.toThrow(/6 of 12 elements/);
    await half.discard();
    expect((await readdir(root)).filter((file) => /half|tmp/.test(file))).toEqual([]);
  });
});
