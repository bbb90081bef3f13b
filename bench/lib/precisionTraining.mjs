/**
 * Training with features in float16 and a scaled loss beside float32: losses, what a step holds, how long it takes. A
 * third run, in float32 on an image off by 2^-12 of each value, shows how far roundings alone carry a net apart.
 */
import { median } from "./median.mjs";
import { CLASSES } from "./precision.mjs";
import { digits } from "./table.mjs";

export const MODELS = ["d2l-resnet18", "fcn8s-mobilenetv2"];
const MIB = 1024 * 1024;
export const HEADER = [
  "net",
  "steps",
  "first loss",
  "last, float32",
  "float16",
  "float32 off by 2^-12",
  "largest difference, float16",
  "off by 2^-12",
  "skipped",
  "float32, MiB",
  "float16, MiB",
  "share",
  "float32, ms",
  "time, float16 / float32",
];

/** Stripes of the classes, and an image of their colours with noise: what a net can learn within a few steps. */
function makeTask(device, [height, width]) {
  const classAt = (i) => Math.floor(((i % width) * 4) / width) + 4 * Math.floor((Math.floor(i / width) * 3) / height);
  const pixels = height * width;
  const labels = Int32Array.from({ length: pixels }, (_, i) => classAt(i));
  const image = Float32Array.from({ length: 3 * pixels }, (_, i) => {
    const [channel, pixel] = [Math.floor(i / pixels), i % pixels];
    return Math.sin(1 + channel + labels[pixel] * (channel + 1)) + 0.2 * Math.sin(i * 12.9898);
  });
  return {
    image: device.tensor(image, [1, 3, height, width]),
    labels: device.tensor(labels, [1, height, width], { dtype: "int32" }),
  };
}

/** The three runs of a net in turn, step by step, on a device of its own. */
export async function measureTraining(T, fcn, name, size, steps) {
  const device = await T.createDevice({ quiet: true });
  const { image, labels } = makeTask(device, size);
  const noise = device.randn(image.shape, { seed: 5 });
  const inputs = {
    float32: image,
    float16: image.to("float16"),
    off: T.mul(image, T.add(T.mul(noise, 2 ** -12), 1)),
  };
  const runs = Object.values(inputs).map((input) => {
    const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 });
    const optimizer = new T.optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 });
    const scaler = new T.optim.GradScaler(device, { enabled: input.dtype === "float16" });
    const step = () => {
      const { values, upsampling } = net.scores(input).out;
      const loss = upsampling ? T.upsampledCrossEntropy(values, labels, upsampling) : T.crossEntropy(values, labels);
      scaler.scale(loss).backward();
      scaler.step(optimizer);
      scaler.update();
      optimizer.zeroGrad();
      return loss;
    };
    return { scaler, step, losses: [], times: [], bytes: 0 };
  });
  for (let i = 0; i < steps; i++) {
    for (const run of runs) {
      await device.sync();
      const before = device.memory().liveBytes;
      device.resetPeakMemory();
      const start = performance.now();
      run.losses.push(await device.scope(async () => (await run.step()).item()));
      // The first step compiles and makes the momenta.
      if (i === 0) continue;
      run.times.push(performance.now() - start);
      run.bytes = Math.max(run.bytes, device.memory().peakBytes - before);
    }
  }
  const [float32, float16, off] = runs;
  const { total: skipped } = await float16.scaler.getSkippedSteps();
  device.destroy();
  return {
    name,
    steps,
    skipped,
    losses: { float32: float32.losses, float16: float16.losses, off: off.losses },
    bytes: { float32: float32.bytes, float16: float16.bytes },
    ms: median(float32.times),
    ratio: median(float16.times.map((time, i) => time / float32.times[i])),
  };
}

export function cells({ name, steps, skipped, losses, bytes, ms, ratio }) {
  const difference = (other) => Math.max(...other.map((loss, i) => Math.abs(loss - losses.float32[i]))).toFixed(3);
  return [
    name,
    String(steps),
    losses.float32[0].toFixed(3),
    losses.float32.at(-1).toFixed(3),
    losses.float16.at(-1).toFixed(3),
    losses.off.at(-1).toFixed(3),
    difference(losses.float16),
    difference(losses.off),
    String(skipped),
    digits(bytes.float32 / MIB),
    digits(bytes.float16 / MIB),
    (bytes.float16 / bytes.float32).toFixed(2),
    digits(ms),
    ratio.toFixed(2),
  ];
}
