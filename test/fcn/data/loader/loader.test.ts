import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { assertProperty } from "../../../support/property.js";
import { greyPng, jpeg, temporaryFolder, writeSiftFlow, writeTree } from "../trees.js";

const root = await temporaryFolder("loader");
const COUNT = 11;
const sizeOf = (i: number): [number, number] => [24 + 8 * (i % 3), 30 + 70 * (i % 2)];

beforeAll(async () => {
  const files: Record<string, Uint8Array | string> = { "classes.json": '["a","b","c"]' };
  const names: string[] = [];
  for (let i = 0; i < COUNT; i++) {
    const [height, width] = sizeOf(i);
    const name = `p${String(i).padStart(2, "0")}`;
    names.push(name);
    files[`images/${name}.jpg`] = await jpeg(height, width, i);
    files[`masks/${name}.png`] = greyPng(height, width, (x, y) => (x + y + i) % 3);
  }
  await writeTree(root, { ...files, "splits/train.txt": names.join("\n"), "splits/val.txt": names[0] as string });
});

const train = async (): Promise<data.SegmentationDataset> =>
  (await data.open(root)).splits.train as data.SegmentationDataset;
const augmentation: data.Augmentation = {
  mirror: true,
  jitter: 3,
  rotate: 10,
  scale: [0.8, 1.2],
  colour: { brightness: 0.2, hue: 0.1 },
};
const options = { batchSize: 3, preprocessing: data.IMAGENET_MEAN, augmentation, seed: 7 } as const;

async function collect(loader: data.DataLoader, count = Number.POSITIVE_INFINITY): Promise<data.LoadedBatch[]> {
  const batches: data.LoadedBatch[] = [];
  for await (const batch of count === Number.POSITIVE_INFINITY ? loader.epoch() : loader.batches()) {
    batches.push(batch);
    if (batches.length >= count) break;
  }
  return batches;
}

/** A batch with its numbers as hashes, which compare faster. */
function digest({ images, labels, ...rest }: data.LoadedBatch) {
  const hash = (array: Float32Array | Int32Array): string => createHash("sha1").update(array).digest("hex");
  return { ...rest, images: hash(images), labels: hash(labels) };
}

describe("DataLoader", () => {
  it("gives the same batches whatever the number of workers and batches ahead", async () => {
    const dataset = await train();
    const runs: data.LoadedBatch[][] = [];
    for (const [workers, prefetch] of [
      [0, 1],
      [1, 5],
      [3, 2],
    ] as const) {
      await using loader = new data.DataLoader(dataset, { ...options, workers, prefetch });
      runs.push([...(await collect(loader)), ...(await collect(loader))]);
    }
    expect(runs[0]).toHaveLength(8);
    expect(runs[0]?.map(({ indices }) => indices.length)).toEqual([3, 3, 3, 2, 3, 3, 3, 2]);
    for (const run of runs.slice(1)) expect(run.map(digest)).toEqual(runs[0]?.map(digest));
    const epochs = [runs[0]?.slice(0, 4), runs[0]?.slice(4)].map(
      (batches) => batches?.flatMap(({ indices }) => indices) ?? [],
    );
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it("pads images of several sizes: labels with void, images with the mean", async () => {
    const dataset = await train();
    await using loader = new data.DataLoader(dataset, {
      batchSize: COUNT,
      order: "sequential",
      workers: 0,
      multipleOf: 32,
      preprocessing: data.VOC_MEAN,
    });
    const [batch] = await collect(loader);
    expect(batch?.shape).toEqual([COUNT, 3, 64, 128]);
    for (let n = 0; n < COUNT; n++) {
      const sample = await dataset.load(n);
      const { height, width } = sample.image;
      expect(batch?.sizes[n]).toEqual([height, width]);
      const planes = new Float32Array(3 * height * width);
      data.normaliseInto(planes, 0, sample.image, data.VOC_MEAN);
      for (const [x, y] of [
        [0, 0],
        [width - 1, height - 1],
        [width, 3],
        [3, height],
      ] as const) {
        const inside = x < width && y < height;
        expect(batch?.labels[(n * 64 + y) * 128 + x]).toBe(inside ? sample.labels[y * width + x] : data.VOID_LABEL);
        for (const c of [0, 1, 2]) {
          expect(batch?.images[((n * 3 + c) * 64 + y) * 128 + x]).toBe(
            inside ? planes[(c * height + y) * width + x] : 0,
          );
        }
      }
    }
  });

  it("moves and pads the label maps of an image alike", async () => {
    const stored = (x: number, y: number, i: number): number => (3 * x + 5 * y + i) % 34;
    const folder = await writeSiftFlow(join(root, "siftflow"), {
      ...{ trainval: ["a", "b", "c"], test: ["d"], height: 20, width: 26 },
      semantic: stored,
      geometric: (x, y, i) => (stored(x, y, i) === 0 ? -1 : 1 + (stored(x, y, i) % 3)),
    });
    const { splits } = await data.open(folder);
    const changes = { ...augmentation, crop: [24, 28] } as const;
    const batches: data.LoadedBatch[] = [];
    for (const workers of [0, 2]) {
      const settings = { ...options, augmentation: changes, multipleOf: 32, workers };
      await using loader = new data.DataLoader(splits.train as data.SegmentationDataset, settings);
      const [batch] = await collect(loader);
      batches.push(batch as data.LoadedBatch);
    }
    expect(batches[1]).toEqual(batches[0]);
    const { labels, more } = batches[0] as data.LoadedBatch;
    expect(labels.filter((label) => label !== data.VOID_LABEL).length).toBeGreaterThan(600);
    expect(more?.geometric).toEqual(
      labels.map((label) => (label === data.VOID_LABEL ? data.VOID_LABEL : (label + 1) % 3)),
    );
  });

  it("goes on from a saved state as if it had never stopped, across epochs", async () => {
    const dataset = await train();
    await using straight = new data.DataLoader(dataset, { ...options, workers: 2 });
    const all = (await collect(straight, 10)).map(digest);
    for (const at of [1, 4, 7]) {
      await using first = new data.DataLoader(dataset, { ...options, workers: 1 });
      const before = await collect(first, at);
      const state = JSON.parse(JSON.stringify(before.at(-1)?.state)) as data.LoaderState;
      expect(first.state).toEqual(state);
      await using second = new data.DataLoader(dataset, { ...options, workers: 0, state });
      expect([...before, ...(await collect(second, 10 - at))].map(digest)).toEqual(all);
    }
  });

  it("makes batches of images of like size in buckets", async () => {
    await using loader = new data.DataLoader(await train(), {
      ...options,
      augmentation: {},
      sizes: "bucket",
      workers: 0,
    });
    const batches = await collect(loader);
    for (const { sizes } of batches)
      expect(new Set(sizes.map(([h, w]) => `${Math.ceil(h / 64)}x${Math.ceil(w / 64)}`)).size).toBe(1);
    expect(batches.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(
      Array.from({ length: COUNT }, (_, i) => i),
    );
    expect(await loader.batchesPerEpoch()).toBe(batches.length);
  });

  it("leaves a broken sample out and tells of it, in workers and without; or throws when asked", async () => {
    const broken = join(root, "images", "p04.jpg");
    const whole = await jpeg(...sizeOf(4), 4);
    try {
      await writeFile(broken, whole.subarray(0, 300));
      await rm(join(root, "masks", "p06.png"));
      const dataset = data.subset(await train(), [0, 4, 5]);
      for (const workers of [0, 2]) {
        const failures: data.SampleFailure[] = [];
        await using loader = new data.DataLoader(dataset, {
          ...options,
          batchSize: 2,
          workers,
          order: "sequential",
          onFailure: (failure) => failures.push(failure),
        });
        const batches = await collect(loader);
        expect(batches.map(({ names }) => names)).toEqual([["p00"], ["p05"]]);
        expect(batches[0]?.shape[0]).toBe(1);
        expect(failures).toEqual(batches[0]?.failures);
        expect(failures[0]).toMatchObject({
          name: "p04",
          index: 1,
          code: "corrupt-file",
          message: expect.stringContaining(`${broken}: the image is cut off`),
        });
        await using strict = new data.DataLoader(dataset, { ...options, workers, onError: "throw" });
        await expect(collect(strict)).rejects.toThrow(broken);
      }
      await using none = new data.DataLoader(data.subset(dataset, [1]), { ...options, workers: 0 });
      await expect(collect(none)).rejects.toThrow("no sample of the epoch could be loaded");
    } finally {
      await writeFile(broken, whole);
      await writeFile(
        join(root, "masks", "p06.png"),
        greyPng(...sizeOf(6), (x, y) => (x + y + 6) % 3),
      );
    }
  });

  it("works on samples in memory", async () => {
    const samples = await data.loadAll(data.subset(await train(), [1, 2]));
    const dataset = data.sampleDataset(samples, { classes: ["a", "b", "c"], palette: [] });
    const from = async (set: data.SegmentationDataset) => {
      await using loader = new data.DataLoader(set, options);
      return (await collect(loader, 3)).map(digest);
    };
    expect(await from(dataset)).toEqual(await from(data.subset(await train(), [1, 2])));
    const wrong = { ...(samples[0] as data.SegmentationSample), labels: new Uint8Array(3) };
    expect(() => data.sampleDataset([wrong], { classes: ["a"], palette: [] })).toThrowError(TensorError);
  });

  it("refuses a second pass at once, a closed loader and sizes that make no batch", async () => {
    const dataset = await train();
    const loader = new data.DataLoader(dataset, { ...options, workers: 1 });
    const first = loader.epoch();
    await first.next();
    await expect(loader.epoch().next()).rejects.toThrow("another pass over it has not ended");
    await first.return();
    expect((await loader.batches().next()).done).toBe(false);
    await loader.close();
    await expect(loader.epoch().next()).rejects.toThrow("it is closed");
    await using large = new data.DataLoader(dataset, { ...options, workers: 0, batchSize: 12, dropLast: true });
    await expect(collect(large)).rejects.toThrow("11 samples make no full batch of 12");
    expect(() => new data.DataLoader(dataset, { ...options, batchSize: 0 })).toThrowError(TensorError);
    expect(() => new data.DataLoader(data.subset(dataset, []), options)).toThrowError("0 samples");
    expect(() => new data.DataLoader(undefined as never, options)).toThrowError("there is no data set");
  });

  it.each<[Record<string, unknown>, string]>([
    [{ preprocessing: undefined }, "DataLoader: preprocessing is missing"],
    [{ preprocessing: { mean: [1, 2, 3] } }, 'preprocessing is {"mean":[1,2,3]}'],
    [{ sizes: "resize" }, 'sizes is "resize"'],
    [{ onError: "ignore" }, 'onError is "ignore"'],
    [{ order: "random" }, 'order is "random"'],
    [{ seed: 1.5 }, "seed is 1.5"],
    [{ workers: -1 }, "workers is -1"],
    [{ state: { epoch: 0 } }, 'state is {"epoch":0}'],
    [{ shuffle: true }, 'there is no option "shuffle"'],
    [{ batchSize: 0 }, "batchSize is 0"],
  ])("refuses %j in one line when it is made", async (more, problem) => {
    const dataset = await train();
    const make = () => new data.DataLoader(dataset, { ...options, ...more } as data.LoaderOptions);
    expect(make).toThrowError(TensorError);
    expect(make).toThrowError(problem);
  });

  it("works in a script given by --eval, and lets the process end: closed, left in the middle, or never closed", () => {
    const core = fileURLToPath(new URL("../../../../packages/fcn/dist/index.js", import.meta.url));
    const script = `
      import { data } from ${JSON.stringify(core)};
      const { splits } = await data.open(${JSON.stringify(root)});
      const make = () => new data.DataLoader(splits.train, { batchSize: 2, workers: 2, preprocessing: data.VOC_MEAN });
      const closed = make();
      for await (const batch of closed.batches()) break;
      await closed.close();
      const open = make();
      for await (const batch of open.batches()) break;
      console.log("done");`;
    // The flags of the process, in either place, must not keep its threads from running a file.
    const flag = "--input-type=module";
    for (const [args, NODE_OPTIONS] of [
      [[flag], ""],
      [[], `--no-deprecation ${flag} --trace-uncaught`],
    ] as const) {
      const env = { ...process.env, NODE_OPTIONS };
      const child = spawnSync(process.execPath, [...args, "--eval", script], {
        encoding: "utf8",
        timeout: 60_000,
        env,
      });
      expect([child.status, child.stdout, child.stderr]).toEqual([0, "done\n", ""]);
    }
  });
});

describe("planEpoch", () => {
  const plan = fc.record({
    length: fc.integer({ min: 1, max: 60 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
    order: fc.constantFrom<data.SampleOrder>("shuffle", "sequential", "replacement"),
    seed: fc.nat(),
    epoch: fc.nat({ max: 99 }),
    dropLast: fc.boolean(),
  });

  it("uses each sample once, or draws as many as there are", async () => {
    await assertProperty(plan, 200, async (options) => {
      const batches = data.planEpoch(options);
      const { length, batchSize, dropLast, order } = options;
      expect(batches).toHaveLength(dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize));
      const indices = batches.flat();
      if (order !== "replacement") expect(new Set(indices).size).toBe(indices.length);
      if (order === "sequential") expect(indices).toEqual(Array.from({ length: indices.length }, (_, i) => i));
      expect(indices.every((i) => i >= 0 && i < length)).toBe(true);
      expect(data.planEpoch(options)).toEqual(batches);
    });
  });

  it("fills the last batch from the next epoch: all batches are full, and all epochs are one row of samples", async () => {
    await assertProperty(plan, 200, async ({ epoch: _, dropLast: __, ...options }) => {
      const { length } = options;
      const batchSize = Math.min(options.batchSize, length);
      const epochs = 5;
      const each = Array.from({ length: epochs }, (_, epoch) => {
        return data.planEpoch({ ...options, batchSize, epoch, dropLast: false, fillLast: true });
      });
      const batches = each.flat();
      expect(batches).toHaveLength(Math.ceil((epochs * length) / batchSize));
      expect(batches.every((batch) => batch.length === batchSize)).toBe(true);
      expect(data.planEpoch({ ...options, batchSize, epoch: 3, dropLast: false, fillLast: true })).toEqual(each[3]);
      const row = batches.flat();
      const ownOrder = (epoch: number): number[] =>
        data.planEpoch({ ...options, batchSize, epoch, dropLast: false }).flat();
      if (options.order !== "shuffle") {
        const whole = Array.from({ length: epochs + 1 }, (_, epoch) => ownOrder(epoch)).flat();
        expect(row).toEqual(whole.slice(0, row.length));
        return;
      }
      for (const batch of batches) expect(new Set(batch).size).toBe(batchSize);
      for (let epoch = 0; epoch < epochs; epoch++) {
        const pass = row.slice(epoch * length, (epoch + 1) * length);
        expect(new Set(pass).size).toBe(length);
        // Only what would be twice in a batch moves, within the first of the pass.
        expect(pass.slice(batchSize)).toEqual(ownOrder(epoch).slice(batchSize));
      }
    });
  });

  it("keeps buckets apart and loses nothing", async () => {
    await assertProperty(plan, 100, async (options) => {
      const buckets = Array.from({ length: options.length }, (_, i) => `${i % 3}`);
      const batches = data.planEpoch({ ...options, order: "shuffle", dropLast: false, buckets });
      for (const batch of batches) expect(new Set(batch.map((i) => i % 3)).size).toBe(1);
      expect(batches.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: options.length }, (_, i) => i));
    });
  });

  it("draws every sample about equally often with replacement", () => {
    const counts = new Array<number>(10).fill(0);
    for (let epoch = 0; epoch < 400; epoch++) {
      for (const i of data
        .planEpoch({ length: 10, batchSize: 10, order: "replacement", seed: 1, epoch, dropLast: false })
        .flat())
        counts[i]!++;
    }
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(100);
  });
});
