import { data, models, train } from "@fcn/core";
import { createDevice, relu, type Tensor, TensorError } from "@fcn/tensor";
import { fillWeights } from "./random-weights.js";

/** How each call that was pending, or made after the loss, ended: the code and message of its error, or "no error". */
export interface LossExercise {
  readonly training: string;
  readonly pending: Readonly<Record<string, string>>;
  readonly later: Readonly<Record<string, string>>;
  readonly lost: string;
  /** The sum of four ones on a device that was made afterwards, or the error. */
  readonly again: string;
}

const told = (error: unknown): string =>
  error instanceof TensorError ? `${error.code}: ${error.message}` : `raw ${String(error)}`;

async function outcome(call: () => unknown): Promise<string> {
  try {
    await call();
    return "no error";
  } catch (error) {
    return told(error);
  }
}

type Calls = Readonly<Record<string, () => unknown>>;

async function oneByOne(calls: Calls): Promise<Record<string, string>> {
  const ends: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls)) ends[name] = await outcome(call);
  return ends;
}

async function together(calls: Calls): Promise<Record<string, string>> {
  const entries = Object.entries(calls).map(async ([name, call]) => [name, await outcome(call)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Trains without end until the GPU is lost, with other calls pending, and tries every kind of call afterwards. `onStep`
 * is told of each step.
 */
export async function lossExercise(onStep: (step: number) => void = tellPage): Promise<LossExercise> {
  const device = await createDevice({ quiet: true });
  const net = models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 1 / 4 });
  fillWeights(net, "loss exercise");
  const size = 64 * 64;
  const image = { data: new Uint8Array(3 * size).fill(90), height: 64, width: 64, channels: 3 } as const;
  const sample = { name: "made", image, labels: new Uint8Array(size).fill(1) };
  const x = device.ones([4]);
  const one = device.ones([1]);
  const pending: Promise<Record<string, string>>[] = [];
  const training = await outcome(() =>
    train({
      model: net,
      data: [sample],
      preprocessing: data.IMAGENET_MEAN,
      steps: 1000,
      numClasses: 3,
      learningRate: 0.01,
      readEvery: 2,
      onProgress: ({ step }) => {
        if (step === 4) pending.push(together(waitForever(x)));
        onStep(step);
      },
    }),
  );
  if (!training.startsWith("device-lost")) throw new Error(`training ended with ${training}`);
  const lost = told(await device.lost);
  const later = await oneByOne({
    data: () => x.data(),
    item: () => one.item(),
    sync: () => device.sync(),
    tensor: () => device.tensor([1]),
    zeros: () => device.zeros([3]),
    randn: () => device.randn([3]),
    op: () => relu(x),
    assign: () => x.assign([1, 2, 3, 4]),
    scope: () => device.scope(() => 1),
    warmUp: () => device.warmUp(() => relu(x)),
    tune: () => device.tune(() => relu(x)),
  });
  const start = async (): Promise<string> => {
    const next = await createDevice({ quiet: true });
    const values = await next.ones([4]).data();
    next.destroy();
    return `works: ${values.join()}`;
  };
  const again = await start().catch(told);
  device.trim();
  x.dispose();
  device.destroy();
  return { training, pending: Object.assign({}, ...(await Promise.all(pending))), later, lost, again };
}

/** Calls that are made again and again until they fail. */
function waitForever(x: Tensor): Record<string, () => Promise<never>> {
  const repeat = (call: () => Promise<unknown>) => async (): Promise<never> => {
    for (;;) {
      await call();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const { device } = x;
  return {
    data: repeat(() => x.data()),
    sync: repeat(() => device.sync()),
    uploads: repeat(async () => device.tensor([1, 2, 3, 4]).dispose()),
  };
}

function tellPage(step: number): void {
  (globalThis as { step?: number }).step = step;
}
