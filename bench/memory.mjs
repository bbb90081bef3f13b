/**
 * Memory of FCN-8s on VGG16 at full width: peak bytes on the GPU, allocated by tensors and ops and reserved with what
 * is kept for reuse, beside the sum of what must be held. A captured function is called three times: twice it is
 * recorded, and then replayed.
 *
 *   npm run bench -- memory [--size N] [--model NAME] [--width M]
 *
 * Inference must hold the parameters; training the parameters, their gradients and momenta, and the activations that
 * the backward pass reads. Writes bench/results/memory-<adapter>.{json,md} at the default size.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { processPeak } from "./lib/processPeak.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const MIB = 1024 * 1024;
const CLASSES = 21;
const OPTIONS = {
  size: { type: "string", default: "500" },
  model: { type: "string", default: "fcn8s-vgg16" },
  width: { type: "string", default: "1" },
};

/** Layers whose output stays until the backward pass, each activated in place. */
const KEPT = new Set(["conv", "maxPool", "avgPool", "convTranspose"]);

/** Bytes of the activations [C, H, W] that a training step keeps, of a batch of one. */
function activationBytes(fcn, name, options, size) {
  const nodes = fcn.models.describe(name, { ...options, height: size, width: size });
  return nodes.filter(({ kind }) => KEPT.has(kind)).reduce((sum, { shape: [c, h, w] }) => sum + c * h * w * 4, 0);
}

async function phase(device, name, bound, run) {
  device.resetPeakMemory();
  const start = performance.now();
  await run();
  await device.sync();
  const { peakBytes, peakReservedBytes } = device.memory();
  return {
    name,
    peakBytes,
    peakReservedBytes,
    boundBytes: bound,
    seconds: (performance.now() - start) / 1000,
    processBytes: processPeak(),
  };
}

async function measure(T, fcn, { model, size, width }) {
  const device = await T.createDevice();
  const options = { numClasses: CLASSES, seed: 1, ...(width === 1 ? {} : { widthMultiplier: width }) };
  const net = fcn.models.create(model, device, options);
  await device.sync();
  const parameters = Object.values(net.stateDict()).reduce((sum, { size: count }) => sum + count * 4, 0);
  const learned = net.parameters().reduce((sum, { size: count }) => sum + count * 4, 0);
  const activations = activationBytes(fcn, model, options, size);
  const image = device.randn([1, 3, size, size], { seed: 2 });
  const labels = device.zeros([1, size, size], { dtype: "int32" });
  const optimizer = new T.optim.SGD(net.parameters(), { lr: 1e-10, momentum: 0.99, weightDecay: 5e-4 });
  const predict = (x) => {
    net.eval();
    return T.noGrad(() => T.argmax(net.forward(x), { dim: 1 }));
  };
  const train = (x, y) => {
    net.train();
    const loss = T.crossEntropy(net.forward(x), y, { reduction: "sum" });
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const inference = (work) => () =>
    device.scope(async () => {
      await (await work(image)).data();
    });
  const step = (work) => () =>
    device.scope(async () => {
      const value = await (await work(image, labels)).item();
      if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
    });
  const bound = parameters + 2 * learned + activations;
  const phases = [
    await phase(device, "inference", parameters, inference(predict)),
    await phase(device, "first training step", bound, step(train)),
    await phase(device, "second training step", bound, step(train)),
  ];
  for (const [name, least, work, run] of [
    ["inference, captured", parameters, predict, inference],
    ["training step, captured", bound, train, step],
  ]) {
    device.trim();
    const captured = device.capture(work);
    const repeated = run(captured);
    const thrice = async () => {
      for (let i = 0; i < 3; i++) await repeated();
    };
    phases.push(await phase(device, name, least, thrice));
    captured.dispose();
  }
  const record = {
    date: new Date().toISOString(),
    adapter: device.info,
    model,
    size,
    width,
    parameters,
    activations,
    phases,
  };
  device.destroy();
  return record;
}

const HEADER = [
  "phase",
  "allocated, MiB",
  "reserved, MiB",
  "bound, MiB",
  "allocated / bound",
  "process, MiB",
  "seconds",
];
const cells = ({ name, peakBytes, peakReservedBytes, boundBytes, processBytes, seconds }) => [
  name,
  digits(peakBytes / MIB),
  digits(peakReservedBytes / MIB),
  digits(boundBytes / MIB),
  (peakBytes / boundBytes).toFixed(2),
  digits(processBytes / MIB),
  digits(seconds),
];

const head = ({ model, size, width, parameters, activations, adapter, date }) => [
  `${model}${width === 1 ? "" : `, width ${width}`}, ${CLASSES} classes, one image of ${size}x${size}: parameters ${digits(parameters / MIB)} MiB, activations ${digits(activations / MIB)} MiB`,
  `bound: parameters for inference; parameters, gradients, momenta and the outputs of convolutions and pools for training`,
  `adapter: ${adapter.description}; ${date}`,
];

export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: OPTIONS });
  const [size, width] = [Number(values.size), Number(values.width)];
  const [T, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const record = await measure(T, fcn, { model: values.model, size, width });
  const rows = record.phases.map(cells);
  console.log([...head(record), "", textTable(HEADER, rows)].join("\n"));
  if (size !== 500 || width !== 1 || values.model !== "fcn8s-vgg16") return;
  const table = markdownTable(HEADER, rows);
  const markdown = markdownReport("Memory", "npm run bench -- memory", head(record), [table]);
  await writeReport(record, markdown, { kind: "memory" });
}
