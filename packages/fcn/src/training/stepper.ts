import { add, type Captured, type Device, optim, type Tensor } from "@fcn/tensor";
import { collect, repeated } from "@fcn/tensor/internal";
import { createRandom } from "../data/random.js";
import type { HostBatch } from "../data/samples/batches.js";
import type { HeadScores } from "../models/graph/tails.js";
import { seedFor } from "../models/graph/weights/initialise.js";
import { deviceOf, headClasses, lookAt, runsGraphOnly } from "../models/segmentationNet.js";
import { type Fitting, fittingOf, headsOf } from "./fitted.js";
import { LearningWatch } from "./learning.js";
import { countHeads, type HeadLossOptions, headLoss, headLossOf, headTargets } from "./loss/headLoss.js";
import { takesLogits, toTensor, waitsForLogits } from "./loss/loss.js";
import { sampleLabels } from "./loss/lossSampling.js";
import { divisorOf } from "./loss/reduction.js";
import { type Average, decayAt } from "./optimizer/average.js";
import { type Freeze, freezeBatchNorm } from "./optimizer/freezing.js";
import type { Optimizer } from "./optimizer/schedules.js";
import type { ResolvedOptions, TrainBatch } from "./settings/trainOptions.js";

/** The optimisers whose steps can be recorded. */
const KNOWN = [optim.SGD, optim.AdamW, optim.Adam, optim.RMSprop];

type Tensors = readonly Tensor[];

/**
 * Makes the steps of a training. The work of a step on the device is a function of tensors alone wherever the library
 * knows everything in it, so that it is recorded and replayed; all that differs from step to step is in the arguments
 * or in the optimiser.
 */
export class Stepper {
  readonly watch: LearningWatch;
  readonly #device: Device;
  readonly #fitting: Fitting;
  readonly #repeats: boolean;
  /** Which bilinear layers of the net are fixed. */
  #fixed: readonly boolean[] = [];
  /** What the recorded work holds fixed besides shapes. */
  #state = "";
  #repeated: Captured<Tensors, Tensor> | undefined;

  constructor(
    readonly options: ResolvedOptions,
    readonly optimizer: Optimizer,
    readonly scaler: optim.GradScaler,
    private readonly freeze: Freeze | undefined,
    readonly average?: Average | undefined,
  ) {
    const { model, heads, loss } = options;
    this.#device = deviceOf(model);
    this.#fitting = fittingOf("train", model, Object.keys(heads));
    this.watch = new LearningWatch(options);
    // Others may do what only their code knows.
    const isKnown = runsGraphOnly(model) && KNOWN.some((kind) => optimizer.constructor === kind);
    const isSized = Object.keys(heads).every((head) => headClasses(model, head) !== undefined);
    this.#repeats = isKnown && isSized && !waitsForLogits(loss);
  }

  /** Runs each batch forward and backward, then makes one update. Returns the loss, which is still on the device. */
  async step(step: number, batches: readonly TrainBatch[]): Promise<Tensor> {
    const { options } = this;
    this.#begin();
    if (this.average) this.average.decay = decayAt(options.ema as number, step);
    this.#fixed = await lookAt(options.model);
    const counts = Object.entries(countHeads(batches, options));
    const kept = batches.map((batch, i) => sampled(options, batch, `${step}/${i}`));
    this.watch.see(kept);
    const share = options.lossSampling?.probability ?? 1;
    const settings = kept.map(({ shape }): HeadLossOptions => {
      const pixels = shape[2] * shape[3];
      const divisors = counts.map(([head, own]) => [head, divisorOf(options.reduction, { ...own, pixels }) * share]);
      return { ...options, divisors: Object.fromEntries(divisors), batches: kept.length };
    });
    return this.#repeats ? this.#repeat(kept, settings) : this.#run(kept, settings);
  }

  [Symbol.dispose](): void {
    this.#repeated?.dispose();
  }

  #begin(): void {
    const { options, optimizer, freeze } = this;
    options.model.train();
    if (options.freezeBatchNorm) freezeBatchNorm(options.model);
    freeze?.apply();
    optimizer.zeroGrad();
  }

  async #run(batches: readonly HostBatch[], settings: readonly HeadLossOptions[]): Promise<Tensor> {
    const losses: Tensor[] = [];
    for (const [i, batch] of batches.entries()) {
      const loss = await this.#device.scope(async () => {
        const outputs = this.#outputsFor(toTensor(this.#device, imagesOf(batch)));
        return this.#backward(await headLoss(outputs, batch, settings[i] as HeadLossOptions));
      });
      losses.push(loss);
    }
    return this.#device.scope(() => this.#update(losses));
  }

  /** As {@link #run}, by a function of tensors. */
  #repeat(batches: readonly HostBatch[], settings: readonly HeadLossOptions[]): Promise<Tensor> {
    const device = this.#device;
    const parts = batches.map((batch, i) => {
      const [n, , height, width] = batch.shape;
      const shapeOf = (head: string) => [n, headClasses(this.options.model, head) as number, height, width];
      return [[imagesOf(batch)], ...headTargets(batch, shapeOf, settings[i] as HeadLossOptions)];
    });
    const lengths = parts.map((own) => own.map(({ length }) => length));
    const work = (...given: Tensors): Tensor => {
      const left = [...given];
      const losses = lengths.map((own) => {
        const [[images], ...targets] = own.map((length) => left.splice(0, length)) as [[Tensor], ...Tensor[][]];
        const outputs = () => this.#outputsFor(images);
        return collect(device, () => this.#backward(headLossOf(outputs(), targets, settings[0] as HeadLossOptions)));
      });
      return this.#update(losses);
    };
    return device.scope(async () => {
      const given = parts.flat(2).map((part) => toTensor(device, part));
      return (await this.#recorded(work, given))(...given);
    });
  }

  /** The work as it is recorded so far. */
  async #recorded(work: (...given: Tensors) => Tensor, given: Tensors): Promise<Captured<Tensors, Tensor>> {
    const { groups } = this.optimizer;
    const learns = groups.flatMap(({ params }) => params.map(({ requiresGrad }) => Number(requiresGrad)));
    const rest = groups.map((group) => "momentum" in group && group.momentum === 0);
    const state = [...learns, ...rest, ...this.#fixed].join();
    if (this.#repeated === undefined) await this.#device.warmUp(() => work(...given));
    else if (state === this.#state) return this.#repeated;
    this.#repeated?.dispose();
    this.#state = state;
    this.#repeated = repeated(this.#device, work, { lends: false });
    return this.#repeated;
  }

  #outputsFor(images: Tensor): Record<string, HeadScores> {
    const { model, loss, precision } = this.options;
    const input = precision === "float32" ? images : images.to(precision);
    return headsOf(model, input, this.#fitting, takesLogits(loss));
  }

  /** Adds the gradients of a batch's share of the loss, times the scale, and returns that share. */
  #backward(loss: Tensor): Tensor {
    this.scaler.scale(loss).backward();
    return loss.detach();
  }

  /** Updates the net by the gradients, and frees them. Returns the sum of the losses of the batches. */
  #update(losses: Tensors): Tensor {
    const { optimizer, options, scaler } = this;
    if (options.clipNorm !== undefined) {
      scaler.unscale(optimizer);
      const parameters = optimizer.groups.flatMap(({ params }) => params);
      optim.clipGradNorm(parameters, options.clipNorm).dispose();
    }
    scaler.step(optimizer);
    scaler.update();
    this.average?.update();
    optimizer.zeroGrad();
    options.model.zeroGrad();
    const total = losses.reduce((a, b) => add(a, b));
    for (const loss of losses) if (loss !== total) loss.dispose();
    return total;
  }
}

const imagesOf = ({ images, shape }: HostBatch) => ({ data: images, shape });

/**
 * Samples the loss of a batch. Each batch has its own random stream, so that none depends on how many came before. All
 * label maps keep the same cells.
 */
function sampled({ lossSampling, seed }: ResolvedOptions, batch: HostBatch, place: string): HostBatch {
  if (lossSampling === undefined) return batch;
  const [, , height, width] = batch.shape;
  const sample = (labels: Int32Array): Int32Array => {
    const random = createRandom(seedFor(seed, `lossSampling ${place}`));
    return sampleLabels(labels, [height, width], lossSampling, random);
  };
  const more = Object.entries(batch.more ?? {}).map(([name, labels]) => [name, sample(labels)] as const);
  return { ...batch, labels: sample(batch.labels), ...(batch.more ? { more: Object.fromEntries(more) } : {}) };
}
