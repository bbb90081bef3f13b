import { hasCode, TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { buildNet } from "../../../models/file/weightsFile.js";
import { inputChannels } from "../../../models/graph/spec.js";
import type { GraphNet } from "../../../models/index.js";
import { deviceOf } from "../../../models/segmentationNet.js";
import { bothWays } from "../../remedies.js";
import { BATCH_MEMORY } from "../../settings/run.js";
import type { ResolvedOptions, TrainBatch } from "../../settings/trainOptions.js";
import { trainResolved } from "../../train.js";
import type { RunParts } from "./decided.js";

const MIB = 2 ** 20;
/** The second step is the one that is recorded. */
const STEPS = 2;

interface Parts extends Pick<RunParts, "options" | "data" | "metadata" | "settings" | "augmentation"> {
  readonly model: GraphNet;
}

/** Bytes that the device reserves for steps, and those of them that would stay without any image. */
interface Need {
  readonly bytes: number;
  readonly fixed: number;
}

/**
 * The largest batch whose steps fit: 1, 2, 4, ... and at last all training images are tried by steps of a copy of the
 * net on images of zeros, as large as the run's largest, until the device refuses, or the next batch may need more than
 * `batchMemory`: what the last one needed, and once more what grows with the images. Throws `out-of-memory` if not even
 * one image fits.
 */
export async function largestBatch(parts: Parts): Promise<number> {
  const { options, data, model } = parts;
  const { batchMemory = BATCH_MEMORY, view } = options;
  const limit = batchMemory * MIB;
  let [largest, needed]: [number, number] = [0, 0];
  for (let size = 1; ; size = Math.min(2 * size, data.train.length)) {
    const need = await tried(parts, size);
    if (need === "too large" || (need !== "too small" && need.bytes > limit)) {
      if (largest === 0) throw noneFits(size, need === "too large" ? undefined : need.bytes, batchMemory);
      break;
    }
    if (need !== "too small") [largest, needed] = [size, need.bytes];
    if (size === data.train.length) break;
    if (need !== "too small" && need.bytes + (need.bytes - need.fixed) > limit) break;
  }
  await settle(model);
  if (largest === 0) return data.train.length;
  const found = `${largest}: a step takes ${Math.ceil(needed / MIB)} MiB of the ${batchMemory} MiB that it may`;
  view?.line?.(`images per batch: ${found} (batchMemory)`, `images per batch: ${found} (--batch-memory)`);
  return largest;
}

/** Gives back what earlier work has left for reuse. */
async function settle(model: Parts["model"]): Promise<void> {
  const device = deviceOf(model);
  await device.sync();
  device.trim(0);
}

/** What steps with so many images need, or why there are none. */
async function tried(parts: Parts, batchSize: number): Promise<Need | "too large" | "too small"> {
  await settle(parts.model);
  try {
    return await measured(parts, batchSize);
  } catch (error) {
    if (hasCode(error, "out-of-memory", "limit-exceeded")) return "too large";
    // Batch norm needs more than one value a channel.
    if (batchSize === 1 && hasCode(error, "invalid-shape")) return "too small";
    throw error;
  }
}

async function measured(parts: Parts, batchSize: number): Promise<Need> {
  const { metadata, settings, model } = parts;
  const device = deviceOf(model);
  const before = device.memory().liveBytes;
  using copy = buildNet(metadata, device);
  const own = device.memory().liveBytes - before;
  device.resetPeakMemory();
  let fixed = 0;
  const trial: ResolvedOptions = {
    ...settings,
    ...{ model: copy, batchSize, steps: STEPS, readEvery: STEPS, data: zeros(parts, batchSize) },
    onProgress: () => {
      fixed = device.memory().liveBytes - own;
    },
  };
  await device.scope(() => trainResolved(trial));
  return { bytes: device.memory().peakReservedBytes - own, fixed };
}

/** Batches without end, of zeros as large as the images of the run may be. */
function zeros({ data, settings, augmentation, metadata, model }: Parts, count: number): AsyncIterator<TrainBatch> {
  const { crop, scale = [1, 1] } = augmentation;
  const { height, width } = data.sample.image;
  const whole = data.report?.splits.train?.largest ?? [height, width];
  const [h, w] = crop ?? (whole.map((side) => Math.round(side * scale[1])) as [number, number]);
  const channels = inputChannels(model.graph) || metadata.preprocessing.mean.length;
  const labels = (): Int32Array => new Int32Array(count * h * w);
  const batch: TrainBatch = {
    ...{ images: new Float32Array(count * channels * h * w), labels: labels() },
    more: Object.fromEntries(Object.values(settings.headLabels).map((name) => [name, labels()])),
    shape: [count, channels, h, w],
  };
  return { next: async () => ({ value: batch }) };
}

function noneFits(size: number, bytes: number | undefined, batchMemory: number): TensorError {
  const images = size === 1 ? "one image" : `${size} images`;
  const smaller = (say: (code: string, command: string) => string): string =>
    `train on smaller windows (${say("crop", "--crop")}) or with another net`;
  if (bytes !== undefined) {
    return invalidArgument(
      `train: a step with ${images} takes ${Math.ceil(bytes / MIB)} MiB on the device, more than the ${batchMemory} MiB that it may`,
      bothWays((say) => `allow more (${say("batchMemory", "--batch-memory")}), or ${smaller(say)}`),
    );
  }
  return new TensorError({
    code: "out-of-memory",
    message: `train: the device has not enough memory for a step with ${images}`,
    fix: bothWays(smaller),
  });
}
