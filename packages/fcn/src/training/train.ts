import { type Device, hasCode, optim, type Tensor, TensorError } from "@fcn/tensor";
import { firstOf, invalidArgument, reworded } from "@fcn/tensor/internal";
import { BatchSampler, stackSamples } from "../data/samples/batches.js";
import { rememberPreprocessing } from "../models/file/usedPreprocessing.js";
import { deviceOf } from "../models/segmentationNet.js";
import { checkRates } from "./learning.js";
import { averageOf } from "./optimizer/average.js";
import { freezeAllBut } from "./optimizer/freezing.js";
import { OPTIMIZERS } from "./optimizer/optimizers.js";
import { parameterGroups } from "./optimizer/parameterGroups.js";
import { makeSchedule } from "./optimizer/schedules.js";
import { bothWays } from "./remedies.js";
import { isSamples, resolveTraining } from "./settings/resolve.js";
import type { BatchStream, OpenInterval, ResolvedOptions, TrainBatch, TrainOptions } from "./settings/trainOptions.js";
import { Stepper } from "./stepper.js";

/** The result of {@link train}. */
export interface TrainResult {
  /** One entry per reading of the loss: the interval's last step and the mean over its steps. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** The learning rate of the first step. */
  readonly learningRate: number;
  /** Steps in total, including those before `from.step`; fewer than asked for if the signal ended training. */
  readonly steps: number;
  /** Time of the whole call, including `onProgress`. */
  readonly seconds: number;
  /** The reason why nothing was learned; absent if something was. */
  readonly nothingLearned?: TensorError;
}

/** The names of a step's images for an error message: `, on a, b and 3 more`; empty if they have no names. */
export const onImages = (names: readonly string[]): string => (names.length > 0 ? `, on ${firstOf(names, 8)}` : "");

/** Advice for a loss that jumps. */
export const steadier = (say: (code: string, command: string) => string): string => {
  const names = [say("learningRate", "--lr"), say("warmUp", "--warm-up"), say("clipNorm", "--clip-norm")];
  return `lower the learning rate (${names[0]}), warm up (${names[1]}), or clip gradients (${names[2]})`;
};

/** So many steps in a row that overflow are no longer a scale that is too large. */
const MOST_SKIPPED = 20;

const CLOSED: OpenInterval = { sum: 0, count: 0 };

/** A loss that is still on the device, and the step that it belongs to. */
interface Unread {
  readonly loss: Tensor;
  readonly step: number;
  readonly names: readonly string[];
}

/**
 * Trains a net on the labelled pixels, by default with cross-entropy. Device memory stays flat, because each step frees
 * all it made; optimiser state and gradients are freed at the end. On one device, the same seed gives the same weights.
 *
 * With `precision: "float16"` the features of the net lie in float16 and the loss is scaled (`optim.GradScaler`):
 * parameters, sums and the optimiser's state stay float32, and a step whose gradients overflow is left out.
 *
 * With `ema` the net learns as it would without, and holds the moving average of its weights after the last step.
 *
 * Before the first step, throws if an option or a label is out of range. Later throws `diverged` if the loss stops
 * being finite; in float16, only after 20 steps in a row that were left out. If no pixel ever counted, or the loss
 * stayed at 0 or at one value throughout, the result says so in `nothingLearned`, which `trainRun` and the command
 * throw.
 *
 * @example
 * ```ts
 * import { models, train } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 * const device = await createDevice();
 * const model = models.create("fcn32s-small", device, { numClasses: 2 });
 * const image = { data: new Uint8Array(12288), height: 64, width: 64, channels: 3 };
 * const data = [{ name: "black", image, labels: new Uint8Array(4096) }];
 * const preprocessing = { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] } as const;
 * await train({ model, data, preprocessing, numClasses: 2, steps: 2, learningRate: 0.01 });
 * device.destroy();
 * ```
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  return trainResolved(resolveTraining(options));
}

/** {@link train} with options that are already filled in and checked. */
export async function trainResolved(resolved: ResolvedOptions): Promise<TrainResult> {
  const { model, trainable } = resolved;
  rememberPreprocessing(model, resolved.preprocessing);
  const freeze = trainable === undefined ? undefined : freezeAllBut(model, trainable);
  try {
    const { learningRate, optimizer: choice } = resolved;
    const groups = parameterGroups(model, resolved);
    checkRates(groups);
    const isNamed = typeof choice === "string";
    using optimizer = isNamed ? OPTIMIZERS[choice].make(groups, resolved) : choice(groups, learningRate);
    using scaler = new optim.GradScaler(deviceOf(model), { enabled: resolved.precision === "float16" });
    if (resolved.from) optimizer.loadStateDict(resolved.from.optimizer);
    if (resolved.from?.scaler) scaler.loadStateDict(resolved.from.scaler);
    using average = averageOf(model, resolved.ema, resolved.from?.average);
    using stepper = new Stepper(resolved, optimizer, scaler, freeze, average);
    const result = await trainSteps(stepper);
    if (result.steps === resolved.steps) average?.copyTo();
    return result;
  } finally {
    freeze?.undo();
    model.zeroGrad();
  }
}

async function trainSteps(stepper: Stepper): Promise<TrainResult> {
  const { options, optimizer, scaler, average } = stepper;
  const { steps, accumulationSteps, readEvery, readAt, pauseAt, signal } = options;
  const first = options.from?.step ?? 0;
  const stream = batchesOf(options, first * accumulationSteps);
  const schedule = makeSchedule({ ...options, lastStep: first }, optimizer);
  const losses: { step: number; loss: number }[] = [];
  const start = performance.now();
  let unread: Unread[] = [];
  let open = options.from?.open ?? CLOSED;
  let [images, since] = [0, start];
  let step = first;
  while (step < steps && !signal?.aborted) {
    step++;
    const learningRate = optimizer.lr;
    const batches: TrainBatch[] = [];
    while (batches.length < accumulationSteps) batches.push(await nextBatch(stream));
    images += batches.reduce((sum, { shape }) => sum + shape[0], 0);
    const names = batches.flatMap((batch) => batch.names ?? []);
    const tooLarge = tooLargeAt(step, batches, deviceOf(options.model));
    unread.push({ loss: await stepper.step(step, batches).catch(tooLarge), step, names });
    schedule.step();
    const isReading = step % readEvery === 0 || step === steps || readAt?.(step) === true;
    if (!isReading && !signal?.aborted && !pauseAt?.(step)) continue;
    const { sum, count } = await readOn(open, unread, stepper).catch(tooLarge);
    unread = [];
    open = isReading ? CLOSED : { sum, count };
    const loss = sum / count;
    if (isReading) losses.push({ step, loss });
    const imagesPerSecond = (1000 * images) / (performance.now() - since);
    const secondsLeft = ((performance.now() - start) / 1000 / (step - first)) * (steps - step);
    const progress = { step, steps, loss, learningRate, imagesPerSecond, secondsLeft, names };
    await options.onProgress?.(isReading ? progress : { ...progress, open }, optimizer, scaler, average);
    [images, since] = [0, performance.now()];
  }
  // Only a whole call can be judged, because an earlier one may have learned something.
  const isWhole = first === 0 && step === steps;
  const nothingLearned = isWhole ? stepper.watch.verdict(losses.map(({ loss }) => loss)) : undefined;
  const seconds = (performance.now() - start) / 1000;
  return {
    losses,
    learningRate: options.learningRate,
    steps: step,
    seconds,
    ...(nothingLearned && { nothingLearned }),
  };
}

/** The given stream, or one over the samples, advanced by the batches already used. */
function batchesOf({ data, batchSize, seed, mirror, preprocessing }: ResolvedOptions, used: number): BatchStream {
  if (!isSamples(data)) return data;
  const sampler = new BatchSampler(data, { batchSize, seed, mirror });
  for (let i = 0; i < used; i++) sampler.next();
  const next = async (): Promise<IteratorResult<TrainBatch>> => {
    const samples = sampler.next();
    return { value: { ...stackSamples(samples, preprocessing), names: samples.map(({ name }) => name) } };
  };
  return { next };
}

async function nextBatch(stream: BatchStream): Promise<TrainBatch> {
  const { done, value } = await stream.next();
  if (!done) return value;
  throw invalidArgument("train: the stream of batches ended before the last step", {
    code: "pass a stream without end, such as loader.batches()",
  });
}

/**
 * Adds the losses one by one, so that an interval that contains a checkpoint has the same bits as one without. Steps in
 * float16 whose loss is not finite were left out of training, and are left out here. Throws `diverged` if a loss is not
 * finite otherwise, or if too many steps were left out.
 */
async function readOn(
  open: OpenInterval,
  unread: readonly Unread[],
  { scaler, options: { learningRate } }: Stepper,
): Promise<OpenInterval> {
  let { sum, count } = open;
  try {
    for (const { loss, step, names } of unread) {
      const value = await loss.item();
      if (!Number.isFinite(value) && scaler.enabled) continue;
      if (!Number.isFinite(value)) throw diverged(value, step, names, learningRate);
      sum += value;
      count++;
    }
    const { inARow } = await scaler.getSkippedSteps();
    const last = unread.at(-1);
    if (last && inARow >= MOST_SKIPPED) throw overflowing(inARow, last, learningRate);
    return { sum, count };
  } finally {
    for (const { loss } of unread) loss.dispose();
  }
}

/** Rethrows an error; one for want of memory says of which batch, and what to lower. */
function tooLargeAt(step: number, [first]: readonly TrainBatch[], device: Device): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!first || !hasCode(error, "out-of-memory")) throw error;
    await settle(device);
    const [n, , height, width] = first.shape;
    throw reworded(error, {
      message: `train: step ${step}, with a batch of ${n} images of ${height}x${width}: ${error.message}`,
      fix: {
        code: `lower batchSize (it is ${n}; accumulationSteps makes up for it) or crop the images to less than ${height}x${width}, and go on from the last checkpoint`,
      },
    });
  };
}

/** Waits until the device has told of all the memory that it refused, so that what follows hears nothing of it. */
async function settle(device: Device): Promise<void> {
  const isTold = (error: unknown): false => {
    if (!hasCode(error, "out-of-memory")) throw error;
    return false;
  };
  while (!(await device.sync().then(() => true, isTold)));
}

function diverged(loss: number, step: number, names: readonly string[], learningRate: number): TensorError {
  return new TensorError({
    code: "diverged",
    message: `train: the loss became ${loss} at step ${step}${onImages(names)}, at a learning rate of ${learningRate}`,
    fix: bothWays((say) => `${steadier(say)}; if it happens at the first steps, look at these images`),
  });
}

function overflowing(skipped: number, { step, names }: Unread, learningRate: number): TensorError {
  return new TensorError({
    code: "diverged",
    message: `train: the last ${skipped} steps up to step ${step}${onImages(names)} were left out, because values in float16 became infinite or NaN however small the loss was scaled, at a learning rate of ${learningRate}`,
    fix: bothWays((say) => {
      return `train in float32 (${say('precision: "float32"', "--precision float32")}), in which larger values fit; or ${steadier(say)}`;
    }),
  });
}
