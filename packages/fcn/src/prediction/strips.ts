import {
  add,
  addInto,
  argmax,
  type Device,
  div,
  flip,
  interpolate,
  mul,
  noGrad,
  slice,
  softmax,
  type Tensor,
  TensorError,
  upsampledArgmax,
} from "@fcn/tensor";
import { zerosStoredAs } from "@fcn/tensor/internal";
import type { RasterImage } from "../labels/sample.js";
import { paddedBy, scoresCroppedBy } from "../models/fitted.js";
import type { HeadScores } from "../models/graph/tails.js";
import { ofHead } from "../models/segmentationNet.js";
import type { Inference, Pass } from "./inference.js";
import { sideAt } from "./inferenceOptions.js";
import { outputsOf } from "./outputs.js";
import { type DeviceImage, type SeenImage, tileInput } from "./seenImage.js";
import { coverage, type Span, type Tiling } from "./tiling.js";
import { inTurn } from "./turns.js";

/** A head's output for a strip. */
export interface HeadStrip {
  /** Number of classes of the head. */
  readonly classes: number;
  /** int32 [N, height, W] */
  readonly labels: Tensor;
  /** float32 [N, classes, height, W], if requested. */
  readonly probabilities: Tensor | undefined;
  /** What the labels come from: the scores of a single pass, or the summed softmax of several. */
  readonly scores: HeadScores;
}

/**
 * Finished rows [top, top + height) of the prediction. Its tensors are freed when the function that receives them is
 * done.
 */
export interface Strip {
  readonly top: number;
  readonly height: number;
  /** In the order of the inference's heads. */
  readonly heads: readonly HeadStrip[];
}

export interface StripOptions {
  readonly probabilities?: boolean;
  /** Whether scores are wanted at the size of the image. Default false. */
  readonly logits?: boolean;
}

/** Labels are bytes, and 255 is void. */
const MOST_CLASSES = 255;

/**
 * Predicts images of one size together, strip by strip from the top, so that the memory on the device does not grow
 * with the height. Logits are averaged where tiles overlap, then the softmax of each view of each net is taken and
 * averaged over all of them. `use` is called and awaited once per strip, in order. A net is in evaluation mode and runs
 * once per tile and view, whatever the number of heads. Returns how often nets ran. Concurrent calls take turns on a
 * device.
 */
export function forEachStrip(
  inference: Inference,
  images: readonly RasterImage[],
  options: StripOptions,
  use: (strip: Strip) => void | Promise<void>,
): Promise<number> {
  return inTurn(inference.device, () => stripsNow(inference, images, options, use));
}

/** {@link forEachStrip} for images, or one that lies on the device, for whoever has the turn on the device already. */
export async function stripsNow(
  inference: Inference,
  images: readonly RasterImage[] | readonly [DeviceImage],
  options: StripOptions,
  use: (strip: Strip) => void | Promise<void>,
): Promise<number> {
  const { models, passes, device, memory } = inference;
  const { height, width } = images[0] as SeenImage;
  const tiling = inference.tiling(images.length, height, width);
  const job = { ...inference, images, tiling };
  const wereTraining = models.map((model) => model.training);
  for (const model of models) model.eval();
  let open: OpenSums = [];
  try {
    for (const index of tiling.rows.keys()) {
      open = await finishStrip(job, index, open, options, use);
      // Otherwise, buffers of images of other sizes would pile up.
      device.trim(memory);
    }
  } finally {
    for (const rest of open.flat()) rest.dispose();
    models.forEach((model, i) => {
      model.train(wereTraining[i]);
    });
  }
  return tiling.rows.length * tiling.columns.length * passes.length;
}

interface Job extends Omit<Inference, "tiling"> {
  readonly images: readonly SeenImage[];
  readonly tiling: Tiling;
}

/**
 * For each pass, the sums of the logits, by head, of the rows to which later tiles still add; empty if there are no
 * such rows.
 */
type OpenSums = readonly (readonly Tensor[])[];

/** Predicts a row of tiles, hands over the strip that no later row reaches, and returns the sums of the rest. */
async function finishStrip(
  job: Job,
  index: number,
  open: OpenSums,
  options: StripOptions,
  use: (strip: Strip) => void | Promise<void>,
): Promise<OpenSums> {
  const { device, passes, tiling } = job;
  const row = tiling.rows[index] as Span;
  const end = tiling.rows[index + 1]?.begin ?? row.end;
  const [top, height] = [row.begin, end - row.begin];
  if (needsLabelsOnly(job, options)) {
    await device.scope(async () => use({ top, height, heads: (await wholeScores(job)).map(labelled) }));
    return [];
  }
  return device.scope(async () => {
    const rest: Tensor[][] = [];
    const scores: Tensor[] = [];
    for (const [p, pass] of passes.entries()) {
      const before = open[p] ?? [];
      const sums = await sumRow(job, row, pass, before);
      for (const sum of before) sum.dispose();
      rest.push(end < row.end ? sums.map((sum) => rows(sum, height, row.end - top)) : []);
      for (const [h, sum] of sums.entries()) {
        const finished = height === sum.shape[2] ? sum : rows(sum, 0, height);
        if (finished !== sum) sum.dispose();
        scores[h] = addView(scores[h], mean(device, finished, tiling, top), passes.length);
      }
    }
    const heads = scores.map((own): HeadStrip => {
      const probabilities = options.probabilities ? probabilitiesOf(own, passes.length) : undefined;
      const labels = argmax(own, { dim: 1 });
      return { classes: own.shape[1] as number, labels, probabilities, scores: { values: own } };
    });
    await use({ top, height, heads });
    return rest;
  });
}

/** Whether all that is wanted are labels that follow from one pass of the net over the whole image. */
function needsLabelsOnly({ tiling, passes: [pass, ...more] }: Job, { probabilities, logits }: StripOptions): boolean {
  const isWhole = !tiling.isPart && tiling.rows.length === 1 && tiling.columns.length === 1 && more.length === 0;
  return isWhole && !probabilities && !logits && pass?.scale === 1 && !pass.mirror;
}

/** The scores of the whole image by head, in the only view, as the net gives them. */
function wholeScores(job: Job): Promise<HeadScores[]> {
  const { height, width } = job.images[0] as SeenImage;
  job.signal?.throwIfAborted();
  const [pass] = job.passes as readonly [Pass];
  return forward(
    job,
    pass,
    tileInput(job.device, job.images, pass.preprocessing, { top: 0, left: 0, height, width }),
    false,
  );
}

function labelled(scores: HeadScores): HeadStrip {
  const { values, upsampling } = scores;
  const labels = upsampling ? upsampledArgmax(values, upsampling) : argmax(values, { dim: 1 });
  return { classes: values.shape[1] as number, labels, probabilities: undefined, scores };
}

/**
 * Adds a view. Logits of a single view stay as they are, since the largest is also the most probable; for several
 * views, softmax is summed.
 */
function addView(sum: Tensor | undefined, logits: Tensor, views: number): Tensor {
  if (views === 1) return logits;
  const probabilities = softmax(logits, { dim: 1 });
  logits.dispose();
  if (!sum) return probabilities;
  const both = add(sum, probabilities);
  sum.dispose();
  probabilities.dispose();
  return both;
}

const probabilitiesOf = (scores: Tensor, views: number): Tensor =>
  views === 1 ? softmax(scores, { dim: 1 }) : mul(scores, 1 / views);

const rows = (x: Tensor, begin: number, end: number): Tensor => slice(x, [null, null, [begin, end]]);

/** Divides sums of logits, which it consumes, by the number of tiles at each pixel. */
function mean(device: Device, sums: Tensor, { rows, columns }: Tiling, top: number): Tensor {
  const [, , height = 0, width = 0] = sums.shape;
  const down = coverage(rows, top, top + height);
  const across = coverage(columns, 0, width);
  return divideBy(divideBy(sums, device, down, [height, 1]), device, across, [width]);
}

function divideBy(sums: Tensor, device: Device, counts: Float32Array, shape: readonly number[]): Tensor {
  if (counts.every((count) => count === 1)) return sums;
  const result = div(sums, device.tensor(counts, shape));
  sums.dispose();
  return result;
}

/** The logits of a row of tiles by head, summed where the tiles overlap each other and the rows before. */
async function sumRow(job: Job, row: Span, pass: Pass, before: readonly Tensor[]): Promise<readonly Tensor[]> {
  const { device, tiling, images, signal } = job;
  const { width } = images[0] as SeenImage;
  // A scope per tile frees what the tile made and keeps the queue short.
  const [only] = tiling.columns;
  signal?.throwIfAborted();
  if (only && tiling.columns.length === 1 && before.length === 0) {
    return device.scope(() => tileLogits(job, row, only, pass));
  }
  let sums: readonly Tensor[] = [];
  for (const column of tiling.columns) {
    signal?.throwIfAborted();
    sums = await device.scope(async (scope) => {
      return (await tileLogits(job, row, column, pass)).map((logits, h) => {
        const [n = 0, classes = 0, height = 0] = logits.shape;
        const target = sums[h] ?? zerosStoredAs(logits, [n, classes, height, width]);
        addInto(target, logits, { begin: [0, 0, 0, column.begin] });
        return scope.keep(target);
      });
    });
  }
  for (const [h, sum] of before.entries()) addInto(sums[h] as Tensor, sum, { begin: [0, 0, 0, 0] });
  return sums;
}

/** The logits of one tile by head, in one view, at the size of the tile. */
async function tileLogits(job: Job, row: Span, column: Span, pass: Pass): Promise<Tensor[]> {
  const [height, width] = [row.end - row.begin, column.end - column.begin];
  const size = [height, width].map((side) => sideAt(side, pass.scale));
  const isScaled = size[0] !== height || size[1] !== width;
  const turned = (x: Tensor): Tensor => (pass.mirror ? flip(x, { dims: [3] }) : x);
  const scaled = (x: Tensor, to: readonly number[]): Tensor =>
    isScaled ? interpolate(x, { size: to, mode: "bilinear" }) : x;
  const place = { top: row.begin, left: column.begin, height, width };
  const x = noGrad(() => turned(scaled(tileInput(job.device, job.images, pass.preprocessing, place), size)));
  const found = await forward(job, pass, x, true);
  return noGrad(() => found.map(({ values }) => scaled(turned(values), [height, width])));
}

/** The scores by head of an input of any size, padded to a size that the net takes; see {@link outputsOf}. */
async function forward(
  { heads, precision }: Job,
  { model, fit }: Pass,
  x: Tensor,
  asLogits: boolean,
): Promise<HeadScores[]> {
  const [, , height = 0, width = 0] = x.shape;
  const found = fit(height, width);
  const padded = noGrad(() => paddedBy(found, x));
  const input = precision === "float32" ? padded : noGrad(() => padded.to(precision));
  if (input !== padded) padded.dispose();
  const outputs = await outputsOf(model, input, asLogits);
  return heads.map((head, h) => {
    const { values, upsampling } = ofHead(outputs, head);
    checkClasses(values);
    return noGrad(() => {
      const scores = { values: floats(values), upsampling };
      return scoresCroppedBy("predict", found, h, { model, scores, input, size: [height, width] });
    });
  });
}

/** Logits are averaged as float32. */
const floats = (logits: Tensor): Tensor => (logits.dtype === "float32" ? logits : logits.to("float32"));

function checkClasses(logits: Tensor): void {
  const [, classes = 0] = logits.shape;
  if (classes <= MOST_CLASSES) return;
  throw new TensorError({
    code: "invalid-shape",
    message: `predict: the net has ${classes} classes, but labels are bytes and 255 means void, so at most ${MOST_CLASSES} classes are possible`,
    fix: {
      code: "read the net's logits yourself: net.forward(x)",
      command: `use the weights of a net with at most ${MOST_CLASSES} classes`,
    },
  });
}
