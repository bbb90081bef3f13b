import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../training/tinyData.js";

const root = await temporaryFolder("fcn-ensemble");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const MEANS = [
  { channelOrder: "rgb", mean: [120, 120, 120], std: [60, 60, 60] },
  { channelOrder: "bgr", mean: [90, 110, 130], std: [50, 50, 50] },
  { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] },
] as const;
const PALETTE: fcn.Colour[] = [
  [0, 0, 0],
  [255, 0, 0],
  [0, 255, 0],
];
const NAMES = ["fcn8s-small", "fcn32s-small", "unet"] as const;

/** Nets of several strides that see images in several ways, and whose scores differ from pixel to pixel. */
function members(classes: readonly string[] = TINY_CLASSES): fcn.LoadedModel[] {
  return NAMES.map((name, i) => {
    const options = { numClasses: classes.length, widthMultiplier: name === "unet" ? 0.1 : 0.25, seed: i };
    const model = fcn.models.create(name, device, options);
    for (const [key, parameter] of model.namedParameters()) {
      if (/^score|^out/.test(key)) parameter.assign(device.randn(parameter.shape, { seed: 5 + i }));
    }
    return { model, metadata: { model: name, options, classes, palette: PALETTE, preprocessing: MEANS[i]! } };
  });
}

function imageOf(height: number, width: number, seed = 1) {
  const data = Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => (Math.imul(i + seed * 7919, 0x9e3779b1) >>> 16) % 256,
  );
  return { data, height, width, channels: 3 } as const;
}

describe("several nets", () => {
  it.each<[string, fcn.PredictOptions]>([
    ["whole", {}],
    ["in views", { mirror: true, scales: [1, 0.5] }],
    ["in tiles", { tile: 64, overlap: 32 }],
  ])("predict by the mean of their probabilities: %s", async (_, how) => {
    const nets = members();
    const image = imageOf(96, 128);
    const options = { ...how, probabilities: true };
    const each: Awaited<ReturnType<typeof fcn.predict>>[] = [];
    for (const net of nets) each.push(await fcn.predict(net, image, { ...options, ...net.metadata }));
    const before = device.memory().liveTensors;
    const all = await fcn.predict(nets, image, options);
    expect(device.memory().liveTensors).toBe(before);
    expect(all.tiles).toBe(each.reduce((sum, { tiles }) => sum + tiles, 0));
    const size = 96 * 128;
    const mean = Float64Array.from({ length: 3 * size }, (_, i) => {
      return each.reduce((sum, { probabilities }) => sum + Number(probabilities!.data[i]), 0) / nets.length;
    });
    const found = all.probabilities!.data as Float32Array;
    expect(Math.max(...mean.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-5);
    const largest = (values: ArrayLike<number>, i: number): number[] => {
      const own = [0, 1, 2].map((c) => values[c * size + i]!);
      // Those that rounding may exchange.
      return [0, 1, 2].filter((c) => own[c]! > Math.max(...own) - 2e-5);
    };
    expect([...all.labels].every((label, i) => largest(mean, i).includes(label))).toBe(true);
    expect(each.some(({ labels }) => labels.some((label, i) => label !== all.labels[i]))).toBe(true);
    const labels = (await fcn.predict(nets, image, how)).labels;
    expect(labels).toEqual(all.labels);
    for (const { model } of nets) model.dispose();
  });

  it("score as their labels do, one by one in predictAll too, and one alone as itself", async () => {
    const nets = members();
    const samples = [1, 2].map((seed) => ({
      ...{ name: `${seed}`, image: imageOf(48, 64, seed) },
      labels: Uint8Array.from({ length: 48 * 64 }, (_, i) => (i < 90 ? 255 : (i >> 4) % 3)),
    }));
    const metrics = new fcn.SegmentationMetrics(3);
    let i = 0;
    for await (const { prediction } of fcn.predictAll(
      nets,
      samples.map(({ image }) => image),
    )) {
      metrics.update(prediction!.labels, samples[i++]!.labels);
    }
    expect(i).toBe(2);
    expect(await fcn.evaluate(nets, samples)).toEqual(metrics.compute());
    const [one] = nets as [fcn.LoadedModel];
    const alone = await fcn.predict([one], samples[0]!.image, { probabilities: true });
    expect(alone).toEqual(await fcn.predict(one, samples[0]!.image, { probabilities: true }));
    expect(one.model.training).toBe(true);
    for (const { model } of nets) model.dispose();
  });

  it("are refused where they do not go together", async () => {
    const [nets, others] = [members(), members(["ground", "wall", "ball"])];
    const fewer = members(["ground", "ball"]);
    const [image, [one]] = [imageOf(32, 32), nets as [fcn.LoadedModel]];
    await expect(fcn.predict([one, others[0]!], image)).rejects.toMatchObject({
      code: "class-mismatch",
      message:
        "predict: net 1 has 3 classes (ground, ball, wall), and net 2 has 3 classes (ground, wall, ball), so that their probabilities cannot be averaged",
    });
    const bare = [one.model, fewer[1]!.model];
    await expect(fcn.evaluate(bare, [], { preprocessing: MEANS[0], numClasses: 3 })).rejects.toMatchObject({
      code: "class-mismatch",
      message: expect.stringMatching(/^evaluate: net 1 has 3 classes, and net 2 has 2 classes/),
    });
    await expect(fcn.predict([], image)).rejects.toThrow(/the list of nets is empty/);
    const deep = {
      ...nets[1]!,
      metadata: { ...nets[1]!.metadata, preprocessing: { ...MEANS[1], range: [0, 4095] as const } },
    };
    await expect(fcn.predict([one, deep], image)).rejects.toThrow(/by different ranges: none and 0 to 4095/);
    expect((await fcn.predict([one, deep], image, { range: [0, 4095] })).labels).toHaveLength(32 ** 2);
    for (const { model } of [...nets, ...others, ...fewer]) model.dispose();
  });
});

describe("fcn predict and fcn eval --weights", () => {
  it("take several files, and images after them, and name the files that do not go together", async () => {
    const nets = members();
    const files: string[] = [];
    for (const [i, { model, metadata }] of nets.entries()) {
      files.push(join(root, `net-${i}.safetensors`));
      await fcn.saveModel(files[i]!, model, metadata);
    }
    const scored = await command(["eval", "--data", data, "--weights", ...files, "--json"]);
    const summary = JSON.parse(scored.stdout);
    expect(summary).toMatchObject({ weights: files, model: NAMES });
    const val = await fcn.data.loadAll((await fcn.data.open(data)).splits.val!);
    expect(summary.confusion).toEqual((await fcn.evaluate(nets, val)).confusion);
    const single = JSON.parse((await command(["eval", "--data", data, "--weights", files[0]!, "--json"])).stdout);
    expect(single).toMatchObject({ weights: files[0], model: NAMES[0] });
    expect((await command(["eval", "--data", data, "--weights", ...files])).stdout).toContain(
      `${NAMES.join(", ")} (${files.join(", ")}) on ${data}, val`,
    );
    const image = join(data, "images", "0.png");
    const out = ["--out", join(root, "labelled"), "--json"];
    const { images } = JSON.parse((await command(["predict", "--weights", ...files, image, ...out])).stdout);
    const { labels } = await fcn.predict(nets, image);
    const counts = TINY_CLASSES.map((name, label) => [name, labels.filter((own) => own === label).length]);
    expect(images[0].classes.map((own: Record<string, unknown>) => [own.class, own.pixels])).toEqual(
      counts.filter(([, pixels]) => pixels !== 0),
    );
    const other = join(root, "other.safetensors");
    const [{ model, metadata }] = nets as [fcn.LoadedModel];
    await fcn.saveModel(other, model, { ...metadata, classes: ["a", "b", "c"] });
    for (const args of [
      ["predict", image, ...out],
      ["eval", "--data", data],
    ]) {
      const { code, stderr } = await command([...args, "--weights", files[0]!, other]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining(`${files[0]} has 3 classes (ground, ball, wall), and ${other} has 3`),
      ]);
      expect(stderr).toContain("\nfix: give --weights of nets with the same classes in the same order\n");
    }
    const none = await command(["predict", "--weights", files[0]!, ...out]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: no image is named\nfix: name image files/),
    });
    for (const net of nets) net.model.dispose();
  });
});
