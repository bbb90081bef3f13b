import { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { readImageSize } from "../decode/image.js";
import { unlessAway } from "../files/errors.js";
import type { SegmentationDataset } from "../samples/dataset.js";
import type { SampleItem } from "../samples/item.js";
import { type BatchTask, type HostSamples, makeBatch, type SampleFailure } from "../workers/makeBatch.js";
import { coreCount, createPool, type TaskPool } from "../workers/pool.js";
import { pooledSamples } from "../workers/samples.js";
import { checkLoaderOptions, type LoaderOptions, type LoaderState } from "./loaderOptions.js";
import { type Draw, planDraws } from "./plan.js";

/** A batch, and the state of the loader after it. */
export interface LoadedBatch extends HostSamples {
  readonly epoch: number;
  readonly state: LoaderState;
}

const BUCKET = 64;

/**
 * Loads, augments and stacks samples in worker threads, several batches ahead of the caller. Batches and their order
 * depend on the data, the seed and the options, but not on the number of workers. Data sets in memory are processed in
 * the calling thread.
 *
 * @example
 * ```ts
 * import { data } from "@fcn/core";
 *
 * const { splits } = await data.open("street");
 * const preprocessing = data.PREPROCESSINGS.imagenet;
 * const loader = new data.DataLoader(splits.train!, { batchSize: 8, preprocessing, augmentation: { mirror: true } });
 * for await (const { images, labels, shape } of loader.epoch()) console.log(shape, images.length, labels.length);
 * await loader.close();
 * ```
 */
export class DataLoader {
  readonly #dataset: SegmentationDataset;
  readonly #options: LoaderOptions;
  #state: LoaderState;
  #pool: Promise<TaskPool> | undefined;
  #buckets: Promise<readonly string[]> | undefined;
  #plan: { epoch: number; batches: Draw[][] } | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(dataset: SegmentationDataset, options: LoaderOptions) {
    checkLoaderOptions(dataset, options);
    this.#dataset = dataset;
    this.#options = options;
    this.#state = options.state ?? { epoch: 0, batch: 0 };
  }

  /** The state after the last batch that was yielded; pass it to a new loader to continue there. */
  get state(): LoaderState {
    return this.#state;
  }

  /** Number of batches in the current epoch; with `fillLast` it may vary by one between epochs. */
  async batchesPerEpoch(): Promise<number> {
    return (await this.#batchesOf(this.#state.epoch)).length;
  }

  /** Yields the rest of the current epoch; the next call yields the next epoch. */
  epoch(): AsyncGenerator<LoadedBatch, void, undefined> {
    return this.#stream(false);
  }

  /** Yields batches endlessly, epoch after epoch. */
  batches(): AsyncGenerator<LoadedBatch, void, undefined> {
    return this.#stream(true);
  }

  /**
   * The samples of another data set, unchanged and decoded one at a time by this loader's workers: for validation
   * between two batches.
   */
  async samplesOf(dataset: SegmentationDataset): Promise<Pick<SegmentationDataset, "length" | "load">> {
    return pooledSamples(dataset, await this.#poolOnce());
  }

  /** Stops the workers. Batches in progress are dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#pool)?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#stream(endless: boolean): AsyncGenerator<LoadedBatch, void, undefined> {
    if (this.#isBusy || this.#isClosed) throw misuse(this.#isClosed);
    this.#isBusy = true;
    const ahead: { readonly made: Promise<HostSamples>; readonly epoch: number; readonly after: LoaderState }[] = [];
    const first = this.#state.epoch;
    let next = this.#state;
    // In the middle of an epoch, earlier batches must have had samples.
    let inEpoch = this.#state.batch;
    try {
      const depth = await this.#depth();
      while (true) {
        while (ahead.length < depth && (endless || next.epoch === first)) {
          const batches = await this.#batchesOf(next.epoch);
          const draws = batches[next.batch];
          const isLast = next.batch + 1 >= batches.length;
          const after = isLast ? { epoch: next.epoch + 1, batch: 0 } : { epoch: next.epoch, batch: next.batch + 1 };
          if (draws) {
            const made = this.#make(draws);
            // The error is thrown when the batch is due; until then it must not end the process as an unhandled
            // rejection.
            made.catch(() => {});
            ahead.push({ made, epoch: next.epoch, after });
          }
          next = after;
        }
        const head = ahead.shift();
        if (head === undefined) return;
        const samples = await head.made;
        this.#state = head.after;
        this.#report(samples.failures);
        inEpoch += samples.names.length;
        if (head.after.batch === 0 && inEpoch === 0) throw nothingLoaded(samples.failures);
        if (head.after.batch === 0) inEpoch = 0;
        if (samples.names.length > 0) yield { ...samples, epoch: head.epoch, state: head.after };
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #report(failures: readonly SampleFailure[]): void {
    for (const failure of failures) {
      if (this.#options.onError === "throw") throw new TensorError(failure);
      this.#options.onFailure?.(failure);
    }
  }

  /** The batches of an epoch. The most recently requested epoch is cached. */
  async #batchesOf(epoch: number): Promise<Draw[][]> {
    if (this.#plan?.epoch === epoch) return this.#plan.batches;
    const { batchSize, order = "shuffle", seed = 0, dropLast = false, fillLast = false } = this.#options;
    const buckets = await this.#bucketsOnce();
    const options = { length: this.#dataset.length, batchSize, order, seed, epoch, dropLast, fillLast };
    const batches = planDraws(buckets ? { ...options, buckets } : options);
    if (batches.length === 0) throw noFullBatch(this.#dataset.length, batchSize);
    this.#plan = { epoch, batches };
    return batches;
  }

  #bucketsOnce(): Promise<readonly string[]> | undefined {
    const { sizes = "pad", augmentation = {} } = this.#options;
    if (sizes === "pad" || augmentation.crop) return undefined;
    this.#buckets ??= readBuckets(this.#dataset);
    return this.#buckets;
  }

  async #make(draws: readonly Draw[]): Promise<HostSamples> {
    const { preprocessing, augmentation = {}, seed = 0, multipleOf = 1 } = this.#options;
    const dataset = this.#dataset;
    const taskOf = <T>(source: (index: number) => T): BatchTask<T> => ({
      entries: draws.map((draw) => ({ ...draw, name: dataset.name(draw.index), source: source(draw.index) })),
      seed,
      augmentation,
      preprocessing,
      multipleOf,
    });
    const { item } = dataset;
    if (item === undefined)
      return makeBatch(
        taskOf((index) => index),
        (index) => dataset.load(index),
      );
    const pool = await this.#poolOnce();
    return pool.run(
      "batch",
      taskOf((index) => dataset.item?.(index) as SampleItem),
    );
  }

  #poolOnce(): Promise<TaskPool> {
    this.#pool ??= this.#workers().then(createPool);
    return this.#pool;
  }

  /** Leaves one core to the caller. */
  async #workers(): Promise<number> {
    const { workers } = this.#options;
    if (workers !== undefined || this.#dataset.item === undefined) return workers ?? 0;
    return Math.max(0, Math.min(await coreCount(), Math.max(1, (await coreCount()) - 1)));
  }

  async #depth(): Promise<number> {
    return this.#options.prefetch ?? Math.max(2, 2 * (await this.#workers()));
  }
}

async function readBuckets(dataset: SegmentationDataset): Promise<string[]> {
  const buckets: string[] = [];
  for (let i = 0; i < dataset.length; i++) {
    const file = dataset.item?.(i).image[0]?.file;
    // An unreadable image fails when it is loaded.
    const size =
      file === undefined ? (await dataset.load(i)).image : await readImageSize(file).catch(unlessAway(undefined));
    buckets.push(size ? `${Math.ceil(size.height / BUCKET)}x${Math.ceil(size.width / BUCKET)}` : "unknown");
  }
  return buckets;
}

function misuse(isClosed: boolean): TensorError {
  return invalidArgument(
    `DataLoader: ${isClosed ? "it is closed" : "another pass over it has not ended"}`,
    isClosed ? "make a new loader" : "end the first loop, or make a second loader",
  );
}

function noFullBatch(length: number, batchSize: number): TensorError {
  return invalidArgument(
    `DataLoader: ${length} samples make no full batch of ${batchSize}, and dropLast leaves out the others`,
    "lower batchSize, or leave dropLast out",
  );
}

function nothingLoaded(failures: readonly SampleFailure[]): TensorError {
  const [first] = failures;
  return new TensorError({
    code: "missing-data",
    message: `no sample of the epoch could be loaded; the last: ${first?.message ?? "unknown"}`,
    fix: first?.fix ?? "run `fcn data check` on the folder",
  });
}
