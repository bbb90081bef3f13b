import {
  data,
  encodeCheckpoint,
  loadCheckpoint,
  loadModel,
  models,
  showPrediction,
  train,
  trainRecovering,
} from "@fcn/core";
import { createDevice, type Device, TensorError } from "@fcn/tensor";
import { fillWeights } from "./random-weights.js";

/** What {@link recoverExercise} saw, as plain data that cross from a browser. */
export interface RecoverExercise {
  /** The names of weights and statistics that differ from those of a training without interruption. */
  readonly differs: readonly string[];
  /** The names of those that training changed. */
  readonly trained: readonly string[];
  readonly losses: { readonly want: readonly number[]; readonly got: readonly number[] };
  /** The step after which training went on, and the losses since the last checkpoint. */
  readonly recoveries: readonly string[];
  readonly checkpoints: readonly number[];
  readonly live: number;
  /** How a training ends whose devices are lost again and again, and after how many devices. */
  readonly givenUp: string;
  readonly opened: number;
  /** As `differs`, for a training that goes on from a stored checkpoint in another call. */
  readonly continued: readonly string[];
  /** As `differs`, for the net that `loadModel` makes of a checkpoint. */
  readonly loaded: readonly string[];
}

const STEPS = 12;

const samples = (): data.SegmentationSample[] =>
  [0, 1, 2].map((k) => {
    const size = 32 * 32;
    const pixels = Uint8Array.from({ length: 3 * size }, (_, i) => (i * (k + 3) * 7) % 251);
    const labels = Uint8Array.from({ length: size }, (_, i) => (i + k) % 3);
    return { name: `made ${k}`, image: { data: pixels, height: 32, width: 32, channels: 3 }, labels };
  });

const SETTINGS = {
  preprocessing: data.IMAGENET_MEAN,
  numClasses: 3,
  steps: STEPS,
  batchSize: 2,
  learningRate: 0.01,
  readEvery: 5,
  ema: 0.9,
} as const;

/** A net of few kernels, with all that a checkpoint must hold: weights, statistics, and the calls of a dropout. */
function build(device: Device): models.GraphNet {
  const builder = new models.GraphBuilder("small");
  const image = builder.add("data", { kind: "input", channels: 3 });
  const window = { kernelSize: 3, stride: 2, padding: 1 } as const;
  const conv = builder.add("conv", { kind: "conv", outChannels: 8, ...window }, image);
  const norm = builder.add("norm", { kind: "batchNorm" }, conv);
  const drop = builder.add("drop", { kind: "dropout", p: 0.25 }, builder.add("relu", { kind: "relu" }, norm));
  const score = builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1 }, drop);
  const up = { kind: "convTranspose", outChannels: 3, groups: 3, kernelSize: 4, stride: 2, padding: 1 } as const;
  const net = new models.GraphNet(device, builder.build({ out: builder.add("up", up, score) }), 1);
  fillWeights(net, "recover exercise");
  return net;
}

type Values = ReadonlyMap<string, ArrayLike<number>>;

async function valuesOf(net: models.GraphNet): Promise<Values> {
  const values = new Map<string, ArrayLike<number>>();
  for (const [name, tensor] of Object.entries(net.stateDict())) values.set(name, await tensor.data());
  return values;
}

const differences = (want: Values, got: Values): string[] =>
  [...want].flatMap(([name, values]) => (`${got.get(name)}` === `${values}` ? [] : [name]));

/** Loses devices in mid-training, and compares with a training that goes through. Devices come from `adapters`. */
export async function recoverExercise(adapters: {
  requestDevice: GPUAdapter["requestDevice"];
}): Promise<RecoverExercise> {
  const { requestDevice } = adapters;
  const handles: GPUDevice[] = [];
  adapters.requestDevice = async function (this: GPUAdapter, ...args) {
    const handle = await requestDevice.apply(this, args);
    handles.push(handle);
    return handle;
  };
  const lose = (): void => handles.at(-1)?.destroy();
  const open = (): Promise<Device> => createDevice({ quiet: true });
  try {
    const steady = await open();
    const whole = build(steady);
    let middle: Uint8Array<ArrayBuffer> | undefined;
    const { losses: wanted } = await train({
      ...SETTINGS,
      model: whole,
      data: samples(),
      pauseAt: (step) => step === 7,
      onProgress: async ({ step, open: interval }, optimizer, scaler, average) => {
        if (step !== 7) return;
        middle = await encodeCheckpoint(whole, { step, optimizer, scaler, average, open: interval });
      },
    });
    const want = await valuesOf(whole);
    const [recoveries, checkpoints, readings]: [string[], number[], number[]] = [[], [], []];
    const due = new Set([2, 9]);
    const {
      model,
      device,
      losses,
      recoveries: count,
    } = await trainRecovering({
      ...SETTINGS,
      open,
      build,
      data: samples(),
      every: 4,
      pauseAt: (step) => due.has(step),
      onProgress: ({ step, open: interval }) => {
        if (!interval) readings.push(step);
        if (due.delete(step)) lose();
      },
      onCheckpoint: (_, step) => void checkpoints.push(step),
      onRecover: ({ step, losses: inARow, error }) => recoveries.push(`${error.code} ${step} ${inARow}`),
    });
    if (count !== recoveries.length) recoveries.push(`${count} in the result`);
    const differs = differences(want, await valuesOf(model as models.GraphNet));
    model.dispose();
    const live = device.memory().liveTensors;
    const again = build(device);
    const trained = differences(want, await valuesOf(again));
    await train({
      ...SETTINGS,
      model: again,
      data: samples(),
      from: await loadCheckpoint(middle as Uint8Array, again),
    });
    const continued = differences(want, await valuesOf(again));
    const blob = new Blob([middle as Uint8Array<ArrayBuffer>]);
    const loadedNet = await loadModel(blob, device);
    const other = build(device);
    await loadCheckpoint(blob, other);
    const loaded = differences(await valuesOf(other), await valuesOf(loadedNet.model));
    device.destroy();
    steady.destroy();
    let opened = 0;
    const givenUp = await trainRecovering({
      ...SETTINGS,
      open: async () => {
        opened++;
        return open();
      },
      build,
      data: samples(),
      every: 4,
      readEvery: 1,
      onProgress: ({ step }) => {
        if (step === 3) lose();
      },
    }).then(
      () => "trained",
      (error: unknown) => (error instanceof TensorError ? error.code : String(error)),
    );
    const both = { want: wanted.map(({ loss }) => loss), got: losses.map(({ loss }) => loss) };
    return { differs, trained, losses: both, recoveries, checkpoints, live, givenUp, opened, continued, loaded };
  } finally {
    adapters.requestDevice = requestDevice;
  }
}

/** {@link recoverExercise} with the adapters of the page. */
export const recoverOnPage = (): Promise<RecoverExercise> => recoverExercise(GPUAdapter.prototype);

/**
 * Trains on a page, and draws what the net sees after every other step, until the page is told to end. Returns how
 * often the device was lost, and how many pixels the canvas shows of each of the classes at the end.
 */
export async function drawWhileTraining(): Promise<{ recoveries: number; steps: number; shown: number[] }> {
  const page = globalThis as { step?: number; enough?: number };
  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const palette = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
  ] as const;
  const [sample] = samples() as [data.SegmentationSample];
  const options = { preprocessing: SETTINGS.preprocessing, palette, show: "classes" } as const;
  const stop = new AbortController();
  let net: models.GraphNet | undefined;
  const result = await trainRecovering({
    ...SETTINGS,
    steps: 100_000,
    readEvery: 2,
    every: 4,
    open: () => createDevice({ quiet: true }),
    build: (device) => {
      net = build(device);
      return net;
    },
    data: [sample],
    signal: stop.signal,
    onProgress: async ({ step }) => {
      await showPrediction(net as models.GraphNet, sample.image, canvas, options);
      page.step = step;
      if (step >= (page.enough ?? Number.POSITIVE_INFINITY)) stop.abort();
    },
  });
  const drawing = showPrediction(result.model, sample.image, canvas, options);
  await drawing;
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.drawImage(canvas, 0, 0);
  const { data: bytes } = context.getImageData(0, 0, canvas.width, canvas.height);
  const shown = palette.map((_, c) => bytes.filter((byte, i) => i % 4 === c && byte === 255).length);
  result.device.destroy();
  return { recoveries: result.recoveries, steps: result.steps, shown };
}
