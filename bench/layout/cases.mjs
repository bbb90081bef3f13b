/**
 * The operations of the layout benchmark: sizes, candidates (kernel, constants, grid) and a float64 reference for any
 * single output. Logical order is NCHW with batch 1 throughout.
 */
import { integers, uniform } from "../lib/random.mjs";

const ceil = (a, b) => Math.ceil(a / b);

/** The schemes that are compared; each op measures several tile sizes of a scheme and keeps the fastest. */
export const SCHEMES = {
  nchw: "NCHW, scalar loads",
  nchwVec: "NCHW, vec4 along a row",
  nchwSubgroup: "NCHW, scalar loads, subgroup shuffles",
  nhwcScalar: "NHWC, scalar loads",
  nhwc: "NHWC, vec4 loads",
  nhwcSubgroup: "NHWC, vec4 loads, subgroup shuffles",
  nhwcScalarSubgroup: "NHWC, scalar loads, subgroup shuffles",
  nhwcPadded: "NHWC, 21 channels padded to 24, vec4 loads, subgroup shuffles",
};

/** @typedef {{ scheme: string, kernel: string, constants: object, grid: number[], channels?: number[] }} Candidate */

function convCase({ name, h, w, ci, co, k, pad, stride = 1, transposed = false }) {
  const params = { H: h, W: w, CI: ci, CO: co };
  const phases = stride * stride;
  const common = { TRANSPOSED: transposed, K: k, PAD: pad, STRIDE: stride };
  const co4 = ceil(co, 4);
  const vec = ci % 4 === 0;
  const plain = (nhwc, TP, TN, WG) => ({
    kernel: "conv",
    constants: { ...common, NHWC: nhwc, VEC_IN: nhwc && vec, VEC_OUT: nhwc && co % 4 === 0, TP, TN, WG },
    grid: [ceil(h * w, WG * TP), co4 / TN, phases],
  });
  const shared = (nhwc, SG, TM, TN, padded = false) => ({
    kernel: "conv-subgroup",
    constants: {
      ...common,
      NHWC: nhwc,
      VEC_IN: nhwc && (vec || padded),
      VEC_OUT: nhwc && (co % 4 === 0 || padded),
      SG,
      TM: TM * SG,
      TN,
    },
    grid: [ceil(h * w, TM * SG), ceil(co4, SG * TN), phases],
    padded,
  });
  const tiles = [1, 2, 4].flatMap((TP) => [2, 3, 4].filter((TN) => co4 % TN === 0).map((TN) => [TP, TN]));
  const candidates = (SG) => [
    ...[false, true].flatMap((nhwc) =>
      tiles.map(([TP, TN]) => ({
        scheme: nhwc ? (vec ? "nhwc" : "nhwcScalar") : "nchw",
        ...plain(nhwc, TP, TN, 64),
      })),
    ),
    ...(SG ? [false, true] : []).flatMap((nhwc) =>
      [1, 2].map((TM) => ({
        scheme: nhwc ? (vec ? "nhwcSubgroup" : "nhwcScalarSubgroup") : "nchwSubgroup",
        ...shared(nhwc, SG, TM, 1),
      })),
    ),
    ...(SG && !vec ? [1, 2].map((TM) => ({ scheme: "nhwcPadded", ...shared(true, SG, TM, 1, true) })) : []),
  ];
  const oh = h * stride;
  const ow = w * stride;
  return {
    name,
    flop: 2 * h * w * ci * co * k * k,
    params: ({ padded }) => (padded ? { ...params, CI: co4 * 4, CO: co4 * 4 } : params),
    input: { c: ci, h, w },
    output: { c: co, h: oh, w: ow },
    weight: { taps: k * k, ci, co },
    candidates,
    /**
     * The output (o, r, q) in float64, written as a scatter for the transposed case: every input asks where it lands.
     */
    reference(x, weight, o, r, q) {
      let sum = 0;
      for (let ky = 0; ky < k; ky++) {
        for (let kx = 0; kx < k; kx++) {
          const iy = transposed ? (r + pad - ky) / stride : r - pad + ky;
          const ix = transposed ? (q + pad - kx) / stride : q - pad + kx;
          if (!Number.isInteger(iy) || !Number.isInteger(ix) || iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
          for (let c = 0; c < ci; c++) {
            sum += x[(c * h + iy) * w + ix] * weight[((ky * k + kx) * ci + c) * co + o];
          }
        }
      }
      return sum;
    },
  };
}

function poolCase({ name, c, h, w }) {
  const count = (c * h * w) / 4;
  const candidate = (scheme, NHWC, VEC, per) => ({
    scheme,
    kernel: "max-pool",
    constants: { NHWC, VEC, WG: 64 },
    grid: [ceil(count / per, 64), 1, 1],
    count: count / per,
  });
  return {
    name,
    bytes: 4 * c * h * w * 1.25,
    params: (chosen) => ({ H: h, W: w, C: c, count: chosen.count }),
    input: { c, h, w },
    output: { c, h: h / 2, w: w / 2 },
    candidates: () => [
      candidate("nchw", false, false, 1),
      candidate("nchwVec", false, true, 2),
      candidate("nhwcScalar", true, false, 1),
      candidate("nhwc", true, true, 4),
    ],
    reference(x, _, o, r, q) {
      const at = (dy, dx) => x[(o * h + 2 * r + dy) * w + 2 * q + dx];
      return Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
    },
  };
}

function lossCase({ name, c, h, w }) {
  const candidate = (scheme, NHWC, VEC) => ({
    scheme,
    kernel: "cross-entropy",
    constants: { NHWC, VEC, C: c, WG: 64 },
    grid: [ceil((h * w) / (VEC ? 4 : 1), 64), 1, 1],
    count: (h * w) / (VEC ? 4 : 1),
  });
  return {
    name,
    bytes: 4 * h * w * (c + 2),
    params: (chosen) => ({ pixels: h * w, count: chosen.count }),
    input: { c, h, w },
    output: { c: 1, h, w },
    labels: (next) => integers(next, h * w, c),
    candidates: () => [
      candidate("nchw", false, false),
      candidate("nchwVec", false, true),
      candidate("nhwcScalar", true, false),
      candidate("nhwc", true, true),
    ],
    reference(x, label, _, r, q) {
      const pixel = r * w + q;
      let sum = 0;
      for (let k = 0; k < c; k++) sum += Math.exp(x[k * h * w + pixel]);
      return Math.log(sum) - x[label[pixel] * h * w + pixel];
    },
  };
}

export const CASES = [
  convCase({ name: "conv 3x3 64->64, 160x240", h: 160, w: 240, ci: 64, co: 64, k: 3, pad: 1 }),
  convCase({ name: "conv 1x1 256->256, 40x60", h: 40, w: 60, ci: 256, co: 256, k: 1, pad: 0 }),
  convCase({
    name: "conv-transpose 4x4 stride 2, 21->21, from 20x30",
    h: 20,
    w: 30,
    ci: 21,
    co: 21,
    k: 4,
    pad: 1,
    stride: 2,
    transposed: true,
  }),
  poolCase({ name: "max-pool 2x2, 64x160x240", c: 64, h: 160, w: 240 }),
  lossCase({ name: "cross-entropy, 21x320x480", c: 21, h: 320, w: 480 }),
];

/** Host data of a case: the input in NCHW order, and the weight [taps, ci, co] or the labels. */
export function hostData(spec, next) {
  const { c, h, w } = spec.input;
  const x = uniform(next, c * h * w);
  if (spec.weight) return { x, second: uniform(next, spec.weight.taps * spec.weight.ci * spec.weight.co) };
  return { x, second: spec.labels?.(next) };
}
