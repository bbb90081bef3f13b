import { type Device, hasCode, type TensorError } from "@fcn/tensor";
import { checkValues, invalidArgument, rules } from "@fcn/tensor/internal";
import type { FileSource } from "../files/fetchBytes.js";
import type { SegmentationNet } from "../models/segmentationNet.js";
import { encodeCheckpoint, loadCheckpoint } from "./checkpoint.js";
import { isSamples } from "./settings/resolve.js";
import type { TrainOptions } from "./settings/trainOptions.js";
import { type TrainResult, train } from "./train.js";

/** A device that was lost in a training that goes on. */
export interface Recovery {
  readonly error: TensorError;
  /** The step after which training goes on: that of the last checkpoint. */
  readonly step: number;
  /** Losses since the last checkpoint, this one included. */
  readonly losses: number;
}

/** Options of {@link trainRecovering}: those of `train`, and how device and net are made. */
export interface RecoveringOptions extends Omit<TrainOptions, "model" | "from" | "data"> {
  /** Opens a device: at the beginning, and again after each loss. */
  readonly open: () => Promise<Device>;
  /** Makes the net on a device. Its weights are replaced by those of the last checkpoint, if there is one. */
  readonly build: (device: Device) => SegmentationNet | Promise<SegmentationNet>;
  /** Samples, or a function that opens the stream of batches after so many steps, at the beginning and after a loss. */
  readonly data: TrainOptions["data"] | ((step: number) => TrainOptions["data"] | Promise<TrainOptions["data"]>);
  /** Steps between two checkpoints. Default 20. */
  readonly every?: number | undefined;
  /** So many losses without a checkpoint between them end the training. Default 3. */
  readonly attempts?: number | undefined;
  /** A checkpoint to start from: what `onCheckpoint` was given. */
  readonly from?: FileSource | undefined;
  /** Called and awaited with every checkpoint, for example to store it. */
  readonly onCheckpoint?: ((bytes: Uint8Array<ArrayBuffer>, step: number) => void | Promise<void>) | undefined;
  /** Called before a new device is opened. */
  readonly onRecover?: ((recovery: Recovery) => void) | undefined;
}

/** The result of {@link trainRecovering}. */
export interface RecoveringResult extends TrainResult {
  /** The trained net. */
  readonly model: SegmentationNet;
  /** The device that it is on, which belongs to the caller. */
  readonly device: Device;
  /** How often a device was lost. */
  readonly recoveries: number;
}

/**
 * Trains as `train` does, and goes on where the GPU is lost on the way, as when the driver restarts or the browser's
 * GPU process ends: it opens a new device, makes the net again from the last checkpoint, which lies in the host's
 * memory, and repeats the steps since then. The weights are those of a training that was never interrupted, to the bit
 * if the new device is of the same kind. Repeated steps are reported again. A checkpoint is made at the end too, and
 * where `signal` ends the training.
 *
 * Throws `device-lost` after `attempts` losses without a checkpoint between them, `invalid-argument` for a stream of
 * batches that cannot be opened again, and what `train` throws; devices are destroyed then.
 *
 * @example
 * ```ts
 * import { models, trainRecovering } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 *
 * const image = { data: new Uint8Array(12288), height: 64, width: 64, channels: 3 };
 * const { model, device } = await trainRecovering({
 *   open: () => createDevice(),
 *   build: (device) => models.create("fcn32s-small", device, { numClasses: 2, seed: 1 }),
 *   data: [{ name: "black", image, labels: new Uint8Array(4096) }],
 *   preprocessing: { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] },
 *   numClasses: 2,
 *   steps: 4,
 *   learningRate: 0.01,
 *   onRecover: ({ error, step }) => console.log(`${error.message}; going on after step ${step}`),
 * });
 * model.dispose();
 * device.destroy();
 * ```
 */
export async function trainRecovering(options: RecoveringOptions): Promise<RecoveringResult> {
  const { open, build, data, every = 20, attempts = 3, from, onCheckpoint, onRecover, ...settings } = options;
  checkValues("trainRecovering", [
    ["every", every, rules.whole(1)],
    ["attempts", attempts, rules.whole(1)],
  ]);
  if (typeof data !== "function" && !isSamples(data)) {
    throw invalidArgument("trainRecovering: data is a stream of batches, which cannot go back to a checkpoint", {
      code: "pass a function that opens the stream after so many steps: data: (step) => batchesFrom(step)",
    });
  }
  const start = performance.now();
  let [recoveries, inARow, reached] = [0, 0, 0];
  let last = from;
  let losses: { readonly step: number; readonly loss: number }[] = [];
  for (;;) {
    let device: Device | undefined;
    try {
      device = await open();
      const model = await build(device);
      const state = last === undefined ? undefined : await loadCheckpoint(last, model);
      reached = state?.step ?? 0;
      losses = losses.filter(({ step }) => step <= reached);
      const isPause = (step: number): boolean => settings.pauseAt?.(step) === true;
      const result = await train({
        ...settings,
        model,
        data: typeof data === "function" ? await data(reached) : data,
        ...(state && { from: state }),
        pauseAt: (step) => step % every === 0 || isPause(step),
        onProgress: async (progress, optimizer, scaler, average) => {
          const { step, steps, loss, open } = progress;
          const isEnd = step === steps || settings.signal?.aborted === true;
          if (!open) losses.push({ step, loss });
          if (step % every === 0 || isEnd) {
            const bytes = await encodeCheckpoint(model, { step, optimizer, scaler, average, open });
            [last, reached, inARow] = [bytes, step, 0];
            await onCheckpoint?.(bytes, step);
          }
          if (!open || isPause(step) || isEnd) await settings.onProgress?.(progress, optimizer, scaler, average);
        },
      });
      return { ...result, losses, seconds: (performance.now() - start) / 1000, model, device, recoveries };
    } catch (error) {
      end(device);
      if (!hasCode(error, "device-lost") || ++inARow >= attempts) throw error;
      recoveries++;
      onRecover?.({ error, step: reached, losses: inARow });
    }
  }
}

/** Destroys a device, which may be gone so far that not even this works. */
function end(device: Device | undefined): void {
  try {
    device?.destroy();
  } catch (error) {
    if (!hasCode(error, "device-lost")) throw error;
  }
}
