import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { add, createDevice, crossEntropy, type Device, optim, type Tensor } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder, writeSiftFlow } from "../../data/trees.js";
import { changed, type HostWeights, relativeDifference, weightsOf } from "../states.js";
import { writeTinyData } from "../tinyData.js";

const root = await temporaryFolder("fcn-heads");
const SIZE = 32;
type TwoHeads = Record<"sem" | "geo", Tensor>;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const create = (options: Partial<fcn.models.ModelOptions> = {}): fcn.models.GraphNet<TwoHeads> =>
  fcn.models.create<TwoHeads>("fcn32s-vgg16-siftflow", device, {
    ...{ numClasses: 4, widthMultiplier: 0.04, dropout: 0, seed: 4 },
    ...options,
  });

/** Labels in columns, geometry in rows, void in other places of each. */
function sample(name: string, shift: number): fcn.data.SegmentationSample {
  const place = (i: number): [number, number] => [i % SIZE, Math.floor(i / SIZE)];
  const labels = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (place(i)[0] < 4 ? 255 : (place(i)[0] >> 3) % 4));
  const geometric = labels.map((_, i) => (place(i)[1] < 5 * shift ? 255 : ((place(i)[1] >> 2) + shift) % 3));
  const image = { data: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (i * (7 + shift)) % 256), channels: 3 };
  return { name, image: { ...image, height: SIZE, width: SIZE }, labels, more: { geometric } };
}
const samples = [sample("a", 1), sample("b", 4)];
const preprocessing = fcn.data.measurePreprocessing(samples);
const settings = { preprocessing, numClasses: 4, learningRate: 0.1, mirror: false, readEvery: 1, seed: 2 };

async function afterTraining(
  data: fcn.data.SegmentationSample[],
  options: Partial<fcn.TrainOptions> = {},
): Promise<HostWeights> {
  using model = create();
  await fcn.train({ ...settings, model, data, steps: 1, ...options });
  return weightsOf(model);
}

const withGeometry = (geometric: Uint8Array): fcn.data.SegmentationSample[] => [
  { ...samples[0]!, more: { geometric } },
];

describe("a net with two heads", () => {
  it("is trained by the sum of both losses, each with its own labels and its own count of pixels", async () => {
    using model = create();
    const plain = { schedule: "fixed", weightDecay: 0 } as const;
    const { losses } = await fcn.train({ ...settings, ...plain, model, data: samples, batchSize: 2, steps: 2 });
    using twin = create();
    const optimizer = new optim.SGD(twin.parameters(), { lr: settings.learningRate, momentum: 0.9 });
    const order = new fcn.data.BatchSampler(samples, { batchSize: 2, seed: settings.seed, mirror: false });
    for (let step = 0; step < 2; step++) {
      const value = await device.scope(async () => {
        const batch = fcn.data.toTensors(device, fcn.data.stackSamples(order.next(), preprocessing));
        const { sem, geo } = twin.forward(batch.images);
        const loss = add(crossEntropy(sem, batch.labels), crossEntropy(geo, batch.more!.geometric!));
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        return loss.item();
      });
      expect(losses[step]?.loss).toBeCloseTo(value, 5);
    }
    using fresh = create();
    const start = await weightsOf(fresh);
    expect(relativeDifference(await weightsOf(model), await weightsOf(twin), start)).toBeLessThan(1e-4);
    optimizer.dispose();
  });

  it("takes the gradient of geo from the geometric labels alone, and that of sem from the others", async () => {
    const [first] = samples;
    const geometric = first!.more!.geometric!;
    const plain = await afterTraining([first!]);
    // The score layers start at zero, so that the first step moves nothing else.
    const turned = await afterTraining(withGeometry(geometric.map((label) => (label === 255 ? 255 : 2 - label))));
    expect(changed(plain, turned).sort()).toEqual(["score_fr_geo.bias", "score_fr_geo.weight"]);
    const relabelled = { ...first!, labels: first!.labels.map((label) => (label === 255 ? 255 : 3 - label)) };
    expect(changed(plain, await afterTraining([relabelled])).sort()).toEqual([
      "score_fr_sem.bias",
      "score_fr_sem.weight",
    ]);
    using fresh = create();
    const allVoid = await afterTraining(withGeometry(geometric.map(() => 255)), { weightDecay: 0 });
    expect(changed(await weightsOf(fresh), allVoid).sort()).toEqual(["score_fr_sem.bias", "score_fr_sem.weight"]);
  });

  it("counts the labelled pixels of a step by head: accumulated images are the batch of them", async () => {
    const run = (batchSize: number, accumulationSteps: number) =>
      afterTraining(samples, { batchSize, accumulationSteps, steps: 2 });
    using fresh = create();
    const start = await weightsOf(fresh);
    expect(relativeDifference(await run(2, 1), await run(1, 2), start)).toBeLessThan(1e-4);
  });

  it("keeps the same cells of both maps when the loss is sampled", async () => {
    const { labels } = samples[1]!;
    const same = [{ ...samples[1]!, more: { geometric: labels } }];
    using model = create({ geometricClasses: 4 });
    await fcn.train({ ...settings, model, data: same, steps: 1, lossSampling: { probability: 0.4, cell: 3 } });
    const weights = await weightsOf(model);
    expect(weights["score_fr_sem.weight"]?.some((value) => value !== 0)).toBe(true);
    expect(weights["score_fr_geo.weight"]).toEqual(weights["score_fr_sem.weight"]);
  });

  it("weighs classes in the head that they belong to only", async () => {
    const [first] = samples;
    const plain = await afterTraining([first!]);
    const weighted = await afterTraining([first!], { classWeights: [5, 1, 1, 0.2] });
    expect(changed(plain, weighted).sort()).toEqual(["score_fr_sem.bias", "score_fr_sem.weight"]);
  });

  it("says which label map is missing, and trains one head alone on request", async () => {
    const bare = samples.map(({ more: _, ...rest }) => rest);
    await expect(afterTraining(bare)).rejects.toMatchObject({
      code: "missing-labels",
      message: expect.stringMatching(
        /head "geo" learns from the extra labels "geometric", which the samples lack.*none/,
      ),
    });
    using fresh = create();
    const start = await weightsOf(fresh);
    const alone = await afterTraining(bare, { heads: { sem: 1 }, weightDecay: 0 });
    expect(changed(start, alone).sort()).toEqual(["score_fr_sem.bias", "score_fr_sem.weight"]);
  });

  it("refuses heads and labels that do not fit", async () => {
    const wrong: [Partial<fcn.TrainOptions>, fcn.data.SegmentationSample[], RegExp][] = [
      [{ headLabels: { geometry: "geometric" } }, samples, /headLabels names "geometry", but the net has sem, geo/],
      [{ headLabels: {} }, samples, /head "geo" scores 3 classes, but the labels have 4/],
      [
        {},
        withGeometry(new Uint8Array(SIZE * SIZE).fill(3)),
        /"a" holds label 3 in its extra labels "geometric", the net has 3/,
      ],
      [{}, withGeometry(new Uint8Array(5)), /needs 1024 labels in its extra labels "geometric", 5 were given/],
    ];
    for (const [options, data, message] of wrong) await expect(afterTraining(data, options)).rejects.toThrow(message);
    const mixed = [samples[0]!, { ...samples[1]!, more: { other: samples[1]!.labels } }];
    expect(() => fcn.data.stackSamples(mixed, preprocessing)).toThrow(
      /sample "b" has the extra labels "other", but sample "a" has "geometric"/,
    );
  });
});

describe("trainRun on SIFT Flow", () => {
  it("trains both heads without being told, each with as many classes as its labels have", async () => {
    const names = Array.from({ length: 6 }, (_, i) => `scene_${i}`);
    const skyline = (image: number): number => 8 + 2 * image;
    const data = await writeSiftFlow(join(root, "siftflow"), {
      ...{ trainval: names.slice(0, 5), test: names.slice(5), height: SIZE, width: SIZE },
      // sky (28) over building (6) and grass (15): vertical and horizontal; the left edge is void.
      semantic: (x, y, i) => (x === 0 ? 0 : y < skyline(i) ? 28 : x < 16 ? 6 : 15),
      geometric: (x, y, i) => (x === 0 ? -1 : y < skyline(i) ? 1 : x < 16 ? 3 : 2),
      image: async (i) => {
        const colour = (x: number, y: number): number[] =>
          y < skyline(i) ? [90, 150, 240] : x < 16 ? [150, 110, 90] : [60, 160, 60];
        const pixels = Array.from({ length: SIZE * SIZE }, (_, at) => colour(at % SIZE, Math.floor(at / SIZE)));
        const raw = { raw: { height: SIZE, width: SIZE, channels: 3 } } as const;
        return new Uint8Array(await sharp(Uint8Array.from(pixels.flat()), raw).jpeg({ quality: 95 }).toBuffer());
      },
    });
    const out = join(root, "run");
    const { configuration, best } = await fcn.trainRun({
      ...{ data, out, model: "fcn32s-vgg16-siftflow", device, workers: 0, seed: 1 },
      modelOptions: { widthMultiplier: 0.06, dropout: 0, batchNorm: true },
      ...{ batchSize: 2, steps: 24, learningRate: 0.01, validateEvery: 24 },
    });
    expect(configuration).toMatchObject({
      heads: { sem: 1, geo: 1 },
      headLabels: { geo: "geometric" },
      modelOptions: { numClasses: 33, geometricClasses: 3 },
      preprocessing: fcn.data.SIFT_FLOW_MEAN,
    });
    const { model, metadata } = await fcn.loadModel(join(out, "weights.safetensors"), device);
    const { splits } = await fcn.data.open(data);
    const val = await fcn.data.loadAll(splits.val!);
    const own = new fcn.SegmentationMetrics(3);
    for (const { image, more } of val) {
      const { labels } = await fcn.predict(model, image, { preprocessing: metadata.preprocessing, head: "geo" });
      own.update(labels, more!.geometric!);
    }
    expect(best?.heads).toEqual({ geo: own.compute() });
    expect(best?.heads?.geo?.pixelAccuracy).toBeGreaterThan(0.5);
    const [header = "", ...rows] = (await readFile(join(out, "metrics.csv"), "utf8")).trim().split("\n");
    expect(header).toMatch(
      /,frequencyWeightedIU,validationLoss,geo\/pixelAccuracy,geo\/meanAccuracy,geo\/meanIU,geo\/frequencyWeightedIU$/,
    );
    expect(rows.at(-1)?.split(",").slice(-4)[2]).toBe(String(own.compute().meanIU));
    const html = await readFile(join(out, "report.html"), "utf8");
    for (const part of ["Scores of the head geo", "vertical IU"]) expect(html).toContain(part);
    const geometry = { preprocessing: metadata.preprocessing, numClasses: 3, head: "geo", labels: "geometric" };
    await expect(fcn.evaluate(model, val, { ...geometry, head: "depth" })).rejects.toThrow(/no head "depth"/);
    await expect(fcn.evaluate(model, val, { ...geometry, labels: "depth" })).rejects.toThrow(
      /no extra labels "depth"; its extra labels are geometric/,
    );
    const train = await fcn.data.loadAll(splits.train!);
    const [sem, geo] = await device.scope(async () => {
      const batch = fcn.data.toTensors(device, fcn.data.stackSamples(train, metadata.preprocessing));
      const output = model.forward(batch.images) as unknown as TwoHeads;
      const each = [crossEntropy(output.sem, batch.labels), crossEntropy(output.geo, batch.more!.geometric!)];
      return Promise.all(each.map((loss) => loss.item()));
    });
    // Zero scores, as at the beginning, cost ln 33 and ln 3.
    expect(sem).toBeLessThan(0.5 * Math.log(33));
    expect(geo).toBeLessThan(0.7 * Math.log(3));
    model.dispose();
  });

  it("stops before the first step where the data lack the labels of a head, or have other classes", async () => {
    const data = await writeTinyData(join(root, "tiny"), 4);
    const base = {
      model: "fcn32s-vgg16-siftflow",
      device,
      workers: 0,
      steps: 1,
      modelOptions: { widthMultiplier: 0.04 },
    };
    await expect(fcn.trainRun({ ...base, data, out: join(root, "no") })).rejects.toMatchObject({
      code: "missing-labels",
      fix: expect.stringContaining("a net with one head"),
    });
    const sift = join(root, "siftflow");
    const modelOptions = { widthMultiplier: 0.04, geometricClasses: 5 };
    await expect(fcn.trainRun({ ...base, data: sift, out: join(root, "no"), modelOptions })).rejects.toThrow(
      /head "geo" scores 5 classes, but the extra labels "geometric" have 3: sky, horizontal, vertical/,
    );
  });
});
