/**
 * The operations that are compared: inputs in logical order, and the same expression in each library.
 *
 * `inputs(next)` gives host tensors `{ kind, shape, data }` (kinds: lib/layouts.mjs); `wrt` names those whose gradient
 * the backward row takes; `ours` and `tfjs` get tensors by the same names and return the output, of kind `kind`.
 */
import { integers, uniform } from "../lib/random.mjs";

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const tensor = (kind, shape, next, low, high) => ({ kind, shape, data: uniform(next, size(shape), low, high) });

function conv({ k, stride = 1, padding = 0, inC, outC, h, w }) {
  const strided = stride === 1 ? "" : ` stride ${stride}`;
  return {
    title: `conv ${k}x${k}${strided} ${inC}->${outC}, ${h}x${w}`,
    flop: (2 * k * k * inC * outC * h * w) / stride ** 2,
    kind: "activation",
    wrt: ["x", "w", "b"],
    inputs: (next) => ({
      x: tensor("activation", [1, inC, h, w], next),
      w: tensor("convWeight", [outC, inC, k, k], next, -0.1, 0.1),
      b: tensor("plain", [outC], next),
    }),
    ours: (T, { x, w: weight, b }) => T.conv2d(x, weight, b, { stride, padding }),
    tfjs: (tf, { x, w: weight, b }) => tf.add(tf.conv2d(x, weight, stride, padding), b),
  };
}

function convTranspose({ k, stride, padding, channels, h, w, diagonal = false }) {
  const [oh, ow] = [h, w].map((n) => (n - 1) * stride - 2 * padding + k);
  const form = diagonal ? "channel-wise" : "dense";
  return {
    title: `conv-transpose ${k}x${k} stride ${stride} ${channels}->${channels} ${form}, from ${h}x${w}`,
    flop: 2 * k * k * channels * (diagonal ? 1 : channels) * h * w,
    note: diagonal ? "tfjs has no grouped conv-transpose: it runs the dense one with a diagonal weight" : undefined,
    kind: "activation",
    wrt: ["x", "w"],
    inputs: (next) => ({
      x: tensor("activation", [1, channels, h, w], next),
      w: diagonal
        ? tensor("diagonalWeight", [channels, 1, k, k], next)
        : tensor("transposeWeight", [channels, channels, k, k], next),
    }),
    ours: (T, { x, w: weight }) =>
      T.convTranspose2d(x, weight, undefined, { stride, padding, groups: diagonal ? channels : 1 }),
    tfjs: (tf, { x, w: weight }) => tf.conv2dTranspose(x, weight, [1, oh, ow, channels], stride, padding),
  };
}

function crossEntropy({ classes, h, w }) {
  return {
    title: `cross-entropy ${classes}x${h}x${w}`,
    note: "tfjs: losses.softmaxCrossEntropy with labels made one-hot beforehand",
    kind: "plain",
    wrt: ["x"],
    inputs: (next) => ({
      x: tensor("activation", [1, classes, h, w], next, -4, 4),
      label: { kind: "plain", shape: [1, h, w], data: integers(next, h * w, classes) },
    }),
    prepareTfjs: (tf, { label }) => ({
      label: tf.tidy(() => tf.cast(tf.oneHot(tf.reshape(label, [h * w]), classes), "float32")),
    }),
    ours: (T, { x, label }) => T.crossEntropy(x, label),
    tfjs: (tf, { x, label }) => tf.losses.softmaxCrossEntropy(label, tf.reshape(x, [h * w, classes])),
  };
}

function maxPool({ channels, h, w }) {
  return {
    title: `max-pool 2x2, ${channels}x${h}x${w}`,
    kind: "activation",
    wrt: ["x"],
    inputs: (next) => ({ x: tensor("activation", [1, channels, h, w], next) }),
    ours: (T, { x }) => T.maxPool2d(x, { kernelSize: 2, stride: 2 }),
    tfjs: (tf, { x }) => tf.maxPool(x, 2, 2, 0),
  };
}

function batchNorm({ channels, h, w }) {
  return {
    title: `batch norm (training), ${channels}x${h}x${w}`,
    note: "tfjs: moments, then batchNorm",
    kind: "activation",
    wrt: ["x", "weight", "bias"],
    inputs: (next) => ({
      x: tensor("activation", [1, channels, h, w], next),
      weight: tensor("plain", [channels], next, 0.5, 1.5),
      bias: tensor("plain", [channels], next),
    }),
    ours: (T, { x, weight, bias }) => T.batchNorm(x, { weight, bias, training: true, eps: 1e-5 }),
    tfjs: (tf, { x, weight, bias }) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.batchNorm(x, mean, variance, bias, weight, 1e-5);
    },
  };
}

export const OPS = [
  conv({ k: 3, padding: 1, inC: 3, outC: 64, h: 160, w: 240 }),
  conv({ k: 3, padding: 1, inC: 64, outC: 64, h: 160, w: 240 }),
  conv({ k: 3, padding: 1, inC: 512, outC: 512, h: 20, w: 30 }),
  conv({ k: 7, stride: 2, padding: 3, inC: 3, outC: 64, h: 320, w: 480 }),
  conv({ k: 1, inC: 512, outC: 21, h: 10, w: 15 }),
  conv({ k: 1, inC: 256, outC: 256, h: 40, w: 60 }),
  convTranspose({ k: 64, stride: 32, padding: 16, channels: 21, h: 10, w: 15 }),
  convTranspose({ k: 64, stride: 32, padding: 16, channels: 21, h: 10, w: 15, diagonal: true }),
  convTranspose({ k: 4, stride: 2, padding: 1, channels: 21, h: 20, w: 30 }),
  crossEntropy({ classes: 21, h: 320, w: 480 }),
  maxPool({ channels: 64, h: 160, w: 240 }),
  batchNorm({ channels: 64, h: 160, w: 240 }),
];
