import { data, evaluate, models, predict, train } from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { fillWeights } from "./random-weights.js";

/** Bytes of files by name, as arrays that cross into a browser. */
export type Files = Readonly<Record<string, readonly number[]>>;

/** What {@link dataExercise} made of the files. */
export interface DataExercise {
  readonly images: Readonly<Record<string, { readonly size: readonly number[]; readonly values: readonly number[] }>>;
  readonly labels: readonly number[];
  /** The first batch of the loader, and names in the order of two epochs. */
  readonly batch: readonly number[];
  readonly order: readonly string[];
  readonly losses: readonly number[];
  readonly confusion: readonly (readonly number[])[];
  /** Pixels of each predicted class. */
  readonly predicted: readonly number[];
}

const CLASSES = 3;
const preprocessing = data.IMAGENET_MEAN;

/**
 * From encoded files to a trained, scored net, without a file system: decoding, loader, training, evaluation,
 * prediction.
 */
export async function dataExercise(files: Files): Promise<DataExercise> {
  const bytes = (name: string): Uint8Array => Uint8Array.from(files[name] ?? []);
  const images: Record<string, { size: number[]; values: number[] }> = {};
  for (const name of Object.keys(files).filter((file) => file !== "mask.png")) {
    const { image } = await data.decodeImage(name, bytes(name));
    images[name] = { size: [image.height, image.width, image.channels], values: Array.from(image.data) };
  }
  const { image } = await data.decodeImage("photo.png", bytes("photo.png"));
  const { labels } = await data.decodeMask("mask.png", bytes("mask.png"), data.indexRule(CLASSES));
  const sample = { name: "photo", image, labels };
  const samples = [sample, { ...data.mirrorSample(sample), name: "mirrored" }];

  const classes = { classes: ["a", "b", "c"], palette: [] };
  const loader = new data.DataLoader(data.sampleDataset(samples, classes), {
    batchSize: 2,
    preprocessing,
    seed: 3,
    augmentation: { mirror: true, crop: [32, 32], scale: [0.75, 1.5] },
  });
  const stream = loader.batches();
  const seen: { images: Float32Array; names: readonly string[] }[] = [];
  for (let i = 0; i < 4; i++) {
    const { value } = await stream.next();
    if (value) seen.push(value);
  }

  const device = await createDevice({ quiet: true });
  try {
    const net = models.create("fcn8s-small", device, { numClasses: CLASSES, widthMultiplier: 1 / 4 });
    fillWeights(net, "data exercise");
    const options = { preprocessing, numClasses: CLASSES, learningRate: 0.02, seed: 1 };
    const { losses } = await train({ ...options, model: net, data: stream, steps: 4, readEvery: 2 });
    const { confusion } = await evaluate(net, samples, { preprocessing, numClasses: CLASSES });
    const prediction = await predict(net, image, { preprocessing, tile: 32, overlap: 0 });
    const predicted = Array.from(
      { length: CLASSES },
      (_, c) => prediction.labels.filter((label) => label === c).length,
    );
    return {
      images,
      labels: Array.from(labels),
      batch: Array.from(seen[0]?.images ?? []),
      order: seen.flatMap(({ names }) => names),
      losses: losses.map(({ loss }) => loss),
      confusion,
      predicted,
    };
  } finally {
    device.destroy();
    await loader.close();
  }
}
