/**
 * What it gains that losses and labels are taken from coarse scores, without a map of them at full size: training steps
 * and predictions of whole nets, and their last upsampling alone, both ways in turn.
 *
 *   npm run bench -- heads [--nets NAME,...] [--size HxW] [--rounds N] [--out STEM]
 *
 * Prints median times in milliseconds, the median of the ratios of the rounds, that of the processor's time, which is
 * all there is to a software adapter, and the peak of allocated bytes on the GPU. A net whose last upsampling learns
 * (d2l-resnet18) has no other way. Writes bench/results/heads-<adapter>.{json,md}.
 */
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { median } from "./lib/median.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";

const OPTIONS = {
  nets: { type: "string", default: "fcn8s-mobilenetv2,fcn8s-resnet50,d2l-resnet18" },
  size: { type: "string", default: "320x480" },
  rounds: { type: "string", default: "7" },
  out: { type: "string" },
};
const CLASSES = 21;
const MIB = 2 ** 20;
const HEADER = ["work", "map, ms", "scores, ms", "map / scores", "of processor time", "map, MiB", "scores, MiB"];

/** The work of a net by name: each takes whether the map of full size is made, and returns the tensor to wait for. */
function worksOf(T, net, x, target) {
  const asRecord = (output) => ("shape" in output ? { out: output } : output);
  const outputs = (isMap) =>
    isMap ? Object.values(asRecord(net.forward(x))).map((values) => ({ values })) : Object.values(net.scores(x));
  const lossOf = ({ values, upsampling }) =>
    upsampling ? T.upsampledCrossEntropy(values, target, upsampling) : T.crossEntropy(values, target);
  const optimizer = new T.optim.SGD(net.parameters(), { lr: 1e-6, momentum: 0.9 });
  return {
    "training step": (isMap) => {
      net.train();
      const loss = outputs(isMap)
        .map(lossOf)
        .reduce((a, b) => T.add(a, b));
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    },
    prediction: (isMap) => {
      net.eval();
      const [{ values, upsampling }] = T.noGrad(() => outputs(isMap));
      return upsampling ? T.upsampledArgmax(values, upsampling) : T.argmax(values, { dim: 1 });
    },
  };
}

/** Both ways in turn. */
async function compare(device, work, rounds) {
  const sides = { map: { times: [], busy: [], bytes: 0 }, scores: { times: [], busy: [], bytes: 0 } };
  for (let round = 0; round <= rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      device.resetPeakMemory();
      const [start, before] = [performance.now(), process.cpuUsage()];
      await device.scope(async () => {
        await work(name === "map").data();
        await device.sync();
      });
      // The first round compiles kernels and makes what the optimiser keeps.
      if (round > 0) {
        const { user, system } = process.cpuUsage(before);
        side.times.push(performance.now() - start);
        side.busy.push(user + system);
      }
      side.bytes = device.memory().peakBytes;
    }
  }
  const { map, scores } = sides;
  return {
    map: median(map.times),
    scores: median(scores.times),
    ratio: median(map.times.map((time, i) => time / scores.times[i])),
    busyRatio: median(map.busy.map((time, i) => time / scores.busy[i])),
    mapBytes: map.bytes,
    scoresBytes: scores.bytes,
  };
}

const hasUpsampling = (net, shape) => Object.values(net.upsamplings(shape)).some((rule) => rule !== undefined);

async function measureNet(T, fcn, name, [height, width], rounds) {
  const device = await T.createDevice({ quiet: true });
  const net = fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 });
  const x = device.randn([1, 3, height, width], { seed: 2 });
  const labels = Int32Array.from({ length: height * width }, (_, i) => (i * 7919) % (CLASSES + 1));
  const target = device.tensor(
    labels.map((label) => (label === CLASSES ? 255 : label)),
    [1, height, width],
    {
      dtype: "int32",
    },
  );
  const rows = [];
  if (hasUpsampling(net, x.shape)) {
    for (const [title, work] of Object.entries(worksOf(T, net, x, target))) {
      rows.push({ work: `${name}: ${title}`, ...(await compare(device, work, rounds)) });
      console.error(`${rows.at(-1).work}: ${rows.at(-1).ratio.toFixed(2)}, ${rows.at(-1).busyRatio.toFixed(2)}`);
    }
  } else {
    rows.push({ work: `${name}: its last upsampling is learned` });
  }
  const { info } = device;
  device.destroy();
  return { rows, info };
}

/** The loss with its gradient, and the labels, from coarse scores at a stride. */
async function measureHead(T, fcn, stride, [height, width], rounds) {
  const device = await T.createDevice({ quiet: true });
  const from = [Math.ceil(height / stride) + 1, Math.ceil(width / stride) + 1];
  const window = { kernelSize: 2 * stride, stride };
  const { data, shape } = fcn.bilinearKernel(CLASSES, 1, 2 * stride);
  const kernel = device.tensor(data, shape);
  const box = { top: stride / 2, left: stride / 2, height, width };
  const rule = T.croppedRule(T.bilinearRule(from, window), box);
  const scores = device.randn([1, CLASSES, ...from], { seed: 3, requiresGrad: true });
  const target = device.zeros([1, height, width], { dtype: "int32" });
  const mapOf = (x) => T.crop(T.convTranspose2d(x, kernel, null, { stride, groups: CLASSES }), box);
  const works = {
    "loss and gradient": (isMap) => {
      scores.zeroGrad();
      const loss = isMap ? T.crossEntropy(mapOf(scores), target) : T.upsampledCrossEntropy(scores, target, rule);
      loss.backward();
      return loss;
    },
    labels: (isMap) => T.noGrad(() => (isMap ? T.argmax(mapOf(scores), { dim: 1 }) : T.upsampledArgmax(scores, rule))),
  };
  const rows = [];
  for (const [title, work] of Object.entries(works)) {
    rows.push({ work: `stride ${stride}: ${title}`, ...(await compare(device, work, 3 * rounds)) });
  }
  device.destroy();
  return rows;
}

export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const [T, fcn] = [await import("@fcn/tensor"), await import("@fcn/core")];
  const [size, rounds] = [values.size.split("x").map(Number), Number(values.rounds)];
  const rows = [];
  for (const stride of [32, 8, 2]) rows.push(...(await measureHead(T, fcn, stride, size, rounds)));
  let adapter;
  for (const name of values.nets.split(",")) {
    const { rows: own, info } = await measureNet(T, fcn, name, size, rounds);
    adapter = info;
    rows.push(...own);
  }
  const cells = rows.map(({ work, map, scores, ratio, busyRatio, mapBytes, scoresBytes }) =>
    ratio === undefined
      ? [work, "", "", "", "", "", ""]
      : [
          work,
          digits(map),
          digits(scores),
          ratio.toFixed(2),
          busyRatio.toFixed(2),
          digits(mapBytes / MIB),
          digits(scoresBytes / MIB),
        ],
  );
  console.log(textTable(HEADER, cells));
  const record = { date: new Date().toISOString().slice(0, 10), adapter, rows };
  const head = [
    `adapter: ${adapter.description}; Node ${process.versions.node}; ${record.date}`,
    `one image of ${values.size}, ${CLASSES} classes; medians of ${rounds} rounds, of ${3 * rounds} for strides alone`,
    "MiB: peak of what is allocated on the GPU, parameters and all",
  ];
  const text = markdownReport("Losses and labels from coarse scores", "npm run bench -- heads", head, [
    markdownTable(HEADER, cells),
  ]);
  await writeReport(record, text, { kind: "heads", out: values.out });
}
