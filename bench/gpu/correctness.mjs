/** Every tile of the convolution family against the reference in float64. */
import { conv2d, conv2dWeightGradient, convTranspose2d } from "@fcn/kernels/reference";
import { createDevice } from "@fcn/tensor";
import { emptyTensor, runPlan } from "@fcn/tensor/internal";
import { geometryOf, plansByTile, tileName } from "../lib/convolutions.mjs";
import { generator, uniform } from "../lib/random.mjs";
import { markdownTable } from "../lib/table.mjs";

/** Few and many channels, with and without vec4, groups, strides, dilation, more pixels than a tile, one a group. */
const CASES = {
  "3x3": { channels: [8, 36], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "odd channels": { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] },
  depthwise: { channels: [12, 12], size: [11, 19], kernel: [3, 3], stride: [1, 2], padding: [1, 1], groups: 12 },
  "groups, dilation": { channels: [16, 72], size: [8, 7], kernel: [2, 2], dilation: [2, 3], groups: 2 },
  upsampling: { channels: [5, 5], size: [24, 24], kernel: [8, 8], stride: [4, 4], padding: [2, 2] },
  "many channels": { channels: [64, 128], size: [12, 18], kernel: [3, 3], padding: [1, 1] },
  "1x1": { channels: [132, 68], size: [17, 23], kernel: [1, 1] },
};
/** Rounding of float32 sums, relative to the largest value: more means that the kernel is wrong here. */
const TOLERANCE = 2e-5;

/** [n, c, h, w] as [n, h, w, c], and back. */
function moved(values, [n, c, h, w], isBack) {
  const out = new Float32Array(values.length);
  const size = h * w;
  for (let i = 0; i < n * size; i++) {
    for (let k = 0; k < c; k++) {
      const last = i * c + k;
      const first = (Math.floor(i / size) * c + k) * size + (i % size);
      if (isBack) out[first] = values[last];
      else out[last] = values[first];
    }
  }
  return out;
}

/** OIHW as the kernels take weights: [h, w, i, o]. */
function weightOrder(values, [o, ci, kh, kw]) {
  const out = new Float32Array(values.length);
  const taps = kh * kw;
  for (let i = 0; i < values.length; i++)
    out[((i % taps) * ci + (Math.floor(i / taps) % ci)) * o + Math.floor(i / (ci * taps))] = values[i];
  return out;
}

function worst(actual, expected) {
  let [difference, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(actual[i] - expected[i]);
    if (!(d <= difference)) difference = d;
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return difference / scale;
}

/** The operands of each pass, what it should give, and how to read that. */
function passesOf(device, g) {
  const large = [g.n, g.inC, g.inH, g.inW];
  const small = [g.n, g.outC, g.outH, g.outW];
  const weight = [g.outC, g.inC / g.groups, g.kernelH, g.kernelW];
  const length = (shape) => shape.reduce((a, b) => a * b, 1);
  const next = generator(7);
  const [x, y, w, b] = [length(large), length(small), length(weight), g.outC].map((n) => uniform(next, n));
  const on = (data) => device.tensor(data, [data.length]);
  const [gx, gy, gw, gb] = [on(moved(x, large)), on(moved(y, small)), on(weightOrder(w, weight)), on(b)];
  const out = (shape) => emptyTensor(device, [length(shape)]);
  const zeros = new Float32Array(g.inC);
  return {
    forward: {
      operands: () => ({ x: gx, w: gw, b: gb, y: out(small) }),
      expected: conv2d(g, x, w, b),
      read: async ({ y: result }) => moved(await result.data(), small, true),
    },
    transposed: {
      operands: () => ({ x: gy, w: gw, y: out(large) }),
      expected: convTranspose2d(g, y, w, zeros),
      read: async ({ y: result }) => moved(await result.data(), large, true),
    },
    "weight gradient": {
      operands: () => ({ x: gx, dy: gy, dw: out(weight) }),
      expected: weightOrder(Float32Array.from(conv2dWeightGradient(g, x, y)), weight),
      read: async ({ dw }) => await dw.data(),
    },
  };
}

/** Compares one tile; a kernel that fails is a result, not the end. */
async function compare(device, pass, { plan, tile }, { operands, expected, read }) {
  try {
    return await device.scope(async () => {
      const bound = operands();
      runPlan(device, pass, plan, bound);
      return { tile: tileName(tile), error: worst(await read(bound), expected) };
    });
  } catch (error) {
    return { tile: tileName(tile), failure: error.message };
  }
}

export async function run({ result, isOver }) {
  result.checks = [];
  for (const subgroups of [true, false]) {
    let device = await createDevice({ quiet: true, subgroups });
    const { subgroupSize } = device.capabilities;
    // Without subgroups of a fixed size both devices choose among the same tiles.
    if (!subgroups && result.checks.every(({ subgroups: size }) => size === 0)) break;
    for (const [name, sizes] of Object.entries(CASES)) {
      const g = geometryOf(sizes);
      for (const [pass, one] of Object.entries(passesOf(device, g))) {
        for (const choice of plansByTile(pass, g, device.capabilities)) {
          if (isOver()) {
            device.destroy();
            result.cutOff = true;
            return;
          }
          const check = await compare(device, pass, choice, one);
          result.checks.push({ case: name, pass, subgroups: subgroupSize, ...check });
          if (check.failure === undefined) continue;
          // The device may be lost, or hold an error for the next read.
          device.destroy();
          device = await createDevice({ quiet: true, subgroups });
          break;
        }
      }
    }
    device.destroy();
  }
}

/** @param {{ error?: number, failure?: string }} check */
export const isWrong = ({ error, failure }) => failure !== undefined || !(error <= TOLERANCE);

export function lines({ checks = [], cutOff }) {
  const wrong = checks.filter(isWrong);
  const largest = Math.max(0, ...checks.filter((check) => !isWrong(check)).map(({ error }) => error));
  const head = [
    `* ${checks.length} kernels compared with float64${cutOff ? ", then the time was over" : ""}: ${wrong.length} wrong or failed; largest difference of the others ${largest.toExponential(1)} of the largest value`,
  ];
  if (wrong.length === 0) return head;
  const cells = wrong.map((check) => [
    check.case,
    check.pass,
    String(check.subgroups),
    check.tile,
    check.failure ?? check.error.toExponential(1),
  ]);
  return [...head, "", markdownTable(["case", "pass", "subgroups", "tile", "difference or failure"], cells)];
}
