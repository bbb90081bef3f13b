/** Nets with features in float16 beside float32: how far their logits are apart, what they hold, how long they take. */
import { median } from "./median.mjs";
import { digits } from "./table.mjs";

export const MODELS = ["d2l-resnet18", "fcn8s-mobilenetv2", "fcn_resnet50"];
export const CLASSES = 21;
const MIB = 1024 * 1024;
const PRECISIONS = ["float32", "float16"];
export const HEADER = [
  "net",
  "same class",
  "largest error",
  "mean error",
  "float32, MiB",
  "float16, MiB",
  "share",
  "float32, ms",
  "time, float16 / float32",
];

/** A net with seeded weights whose scores are not all 0. */
function makeNet(T, fcn, device, name) {
  const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 });
  for (const [, values] of net.namedParameters()) {
    if (values.shape.length !== 4 || values.shape[0] !== CLASSES || values.shape[1] === 1) continue;
    const [, inputs, height, width] = values.shape;
    const scale = 1 / Math.sqrt(inputs * height * width);
    T.noGrad(() => values.assign(T.mul(device.randn(values.shape, { seed: 7 }), scale)));
  }
  return net.eval();
}

/** How far `found` is from `wanted`, of the largest and of the mean magnitude, and where the largest class agrees. */
function compare(found, wanted) {
  const pixels = wanted.length / CLASSES;
  let [largest, worst, total, off] = [0, 0, 0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const [size, difference] = [Math.abs(wanted[i]), Math.abs(wanted[i] - found[i])];
    largest = Math.max(largest, size);
    worst = Math.max(worst, difference);
    total += size;
    off += difference;
  }
  const classAt = (logits, pixel) => {
    let best = 0;
    for (let c = 1; c < CLASSES; c++) if (logits[c * pixels + pixel] > logits[best * pixels + pixel]) best = c;
    return best;
  };
  let same = 0;
  for (let pixel = 0; pixel < pixels; pixel++) if (classAt(found, pixel) === classAt(wanted, pixel)) same++;
  return { agreement: same / pixels, largestError: worst / largest, meanError: off / total };
}

/** One net with both precisions in turn, on a device of its own. */
export async function measureNet(T, fcn, name, [height, width], rounds) {
  const device = await T.createDevice({ quiet: true });
  const net = makeNet(T, fcn, device, name);
  const image = device.randn([1, 3, height, width], { seed: 3 });
  const inputs = { float32: image, float16: image.to("float16") };
  const forward = (precision) =>
    device.scope(() => {
      const output = T.noGrad(() => net.forward(inputs[precision]));
      return "out" in output ? output.out : output;
    });
  const logits = {};
  const bytes = {};
  for (const precision of PRECISIONS) {
    await device.sync();
    const before = device.memory().liveBytes;
    device.resetPeakMemory();
    const output = await forward(precision);
    bytes[precision] = device.memory().peakBytes - before;
    logits[precision] = await output.data();
    output.dispose();
  }
  const times = { float32: [], float16: [] };
  for (let round = 0; round < rounds; round++) {
    for (const precision of PRECISIONS) {
      await device.sync();
      const start = performance.now();
      const output = await forward(precision);
      await device.sync();
      times[precision].push(performance.now() - start);
      output.dispose();
    }
  }
  const { info: adapter } = device;
  device.destroy();
  return {
    adapter,
    row: {
      name,
      ...compare(logits.float16, logits.float32),
      bytes,
      ms: median(times.float32),
      ratio: median(times.float16.map((time, i) => time / times.float32[i])),
    },
  };
}

export const cells = ({ name, agreement, largestError, meanError, bytes, ms, ratio }) => [
  name,
  `${(100 * agreement).toFixed(2)} %`,
  largestError.toExponential(1),
  meanError.toExponential(1),
  digits(bytes.float32 / MIB),
  digits(bytes.float16 / MIB),
  (bytes.float16 / bytes.float32).toFixed(2),
  digits(ms),
  ratio.toFixed(2),
];
