/**
 * The operations that are compared: inputs in logical order, and the same expression in each library.
 *
 * `peers` says who computes it: `true`, or why not; `gradientPeers` the same of the backward row, where that differs.
 * `inputs(next)` gives host tensors `{ kind, shape, data }` (kinds: lib/layouts.mjs); `wrt` names those whose gradient
 * the backward row takes; `ours`, `tfjs` and `jax` get tensors by the same names and return the output, of kind `kind`;
 * `layer` is the operation as a layer of a net, for onnxruntime.
 * `flop` and `values` count the arithmetic of the forward pass and the numbers that it must read and write.
 */
import { integers, uniform } from "../lib/random.mjs";

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const both = (value) => [value, value];
const tensor = (kind, shape, next, low, high) => ({ kind, shape, data: uniform(next, size(shape), low, high) });

/**
 * A convolution with a bias; `groups` is 1, or the number of channels for a depthwise one. `of` names the net and layer
 * that has it.
 */
export function conv({ k, stride = 1, padding = 0, inC, outC, h, w, groups = 1, of = "", peers, gradientPeers }) {
  const strided = stride === 1 ? "" : ` stride ${stride}`;
  const form = groups === 1 ? `${inC}->${outC}` : `depthwise ${outC}`;
  const [oh, ow] = [h, w].map((n) => Math.floor((n + 2 * padding - k) / stride) + 1);
  const depthwise = groups > 1;
  const weights = (outC * inC * k * k) / groups;
  return {
    title: `${of}${of && " "}conv ${k}x${k}${strided} ${form}, ${h}x${w}`,
    flop: 2 * weights * oh * ow,
    values: inC * h * w + weights + outC * oh * ow,
    kind: "activation",
    wrt: ["x", "w", "b"],
    peers,
    gradientPeers,
    inputs: (next) => ({
      x: tensor("activation", [1, inC, h, w], next),
      w: tensor(depthwise ? "depthwiseWeight" : "convWeight", [outC, inC / groups, k, k], next, -0.1, 0.1),
      b: tensor("plain", [outC], next),
    }),
    layer: { kind: "conv", outChannels: outC, kernelSize: k, stride, padding, groups },
    ours: (T, { x, w: weight, b }) => T.conv2d(x, weight, b, { stride, padding, groups }),
    tfjs: (tf, { x, w: weight, b }) => {
      const y = depthwise ? tf.depthwiseConv2d(x, weight, stride, padding) : tf.conv2d(x, weight, stride, padding);
      return tf.add(y, b);
    },
    jax: ({ lax }, { x, w: weight, b }) => {
      const options = { featureGroupCount: groups };
      const y = lax.convGeneralDilated(x, weight, both(stride), both(both(padding)), options);
      return y.add(b.reshape([1, outC, 1, 1]));
    },
  };
}

export function convTranspose({ k, stride, padding, channels, h, w, diagonal = false, peers }) {
  const [oh, ow] = [h, w].map((n) => (n - 1) * stride - 2 * padding + k);
  const form = diagonal ? "channel-wise" : "dense";
  return {
    title: `conv-transpose ${k}x${k} stride ${stride} ${channels}->${channels} ${form}, from ${h}x${w}`,
    flop: 2 * k * k * channels * (diagonal ? 1 : channels) * h * w,
    values: channels * h * w + channels * (diagonal ? 1 : channels) * k * k + channels * oh * ow,
    note: diagonal ? "tfjs has no grouped conv-transpose: it runs the dense one with a diagonal weight" : undefined,
    kind: "activation",
    wrt: ["x", "w"],
    peers,
    inputs: (next) => ({
      x: tensor("activation", [1, channels, h, w], next),
      w: diagonal
        ? tensor("diagonalWeight", [channels, 1, k, k], next)
        : tensor("transposeWeight", [channels, channels, k, k], next),
    }),
    ours: (T, { x, w: weight }) =>
      T.convTranspose2d(x, weight, undefined, { stride, padding, groups: diagonal ? channels : 1 }),
    tfjs: (tf, { x, w: weight }) => tf.conv2dTranspose(x, weight, [1, oh, ow, channels], stride, padding),
    layer: {
      ...{ kind: "convTranspose", outChannels: channels, kernelSize: k, stride, padding },
      ...{ groups: diagonal ? channels : 1, bias: false, init: "default" },
    },
    jax: ({ lax }, { x, w: weight }) =>
      lax.convTranspose(x, weight, both(stride), both(both(padding)), { transposeKernel: true }),
  };
}

export function crossEntropy({ classes, h, w, peers }) {
  return {
    title: `cross-entropy ${classes}x${h}x${w}`,
    note: "tfjs: losses.softmaxCrossEntropy with labels made one-hot beforehand",
    kind: "plain",
    wrt: ["x"],
    peers,
    inputs: (next) => ({
      x: tensor("activation", [1, classes, h, w], next, -4, 4),
      label: { kind: "plain", shape: [1, h, w], data: integers(next, h * w, classes) },
    }),
    prepareTfjs: (tf, { label }) => ({
      label: tf.tidy(() => tf.cast(tf.oneHot(tf.reshape(label, [h * w]), classes), "float32")),
    }),
    ours: (T, { x, label }) => T.crossEntropy(x, label),
    tfjs: (tf, { x, label }) => tf.losses.softmaxCrossEntropy(label, tf.reshape(x, [h * w, classes])),
    jax: ({ nn, numpy: np }, { x, label }) => {
      const hot = np.moveaxis(nn.oneHot(label, classes), -1, 1);
      return np.sum(nn.logSoftmax(x, 1).mul(hot)).mul(-1 / (h * w));
    },
  };
}

export function maxPool({ channels, h, w, peers }) {
  return {
    title: `max-pool 2x2, ${channels}x${h}x${w}`,
    kind: "activation",
    wrt: ["x"],
    peers,
    inputs: (next) => ({ x: tensor("activation", [1, channels, h, w], next) }),
    ours: (T, { x }) => T.maxPool2d(x, { kernelSize: 2, stride: 2 }),
    tfjs: (tf, { x }) => tf.maxPool(x, 2, 2, 0),
    layer: { kind: "maxPool", kernelSize: 2, stride: 2 },
    jax: ({ numpy: np }, { x }) => np.max(x.reshape([1, channels, h / 2, 2, w / 2, 2]), [3, 5]),
  };
}

export function batchNorm({ channels, h, w, peers }) {
  return {
    title: `batch norm (training), ${channels}x${h}x${w}`,
    note: "tfjs: moments, then batchNorm",
    kind: "activation",
    wrt: ["x", "weight", "bias"],
    peers,
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
    jax: ({ numpy: np }, { x, weight, bias }) => {
      const perChannel = (values) => values.reshape([1, channels, 1, 1]);
      const centred = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      return centred
        .div(np.sqrt(variance.add(1e-5)))
        .mul(perChannel(weight))
        .add(perChannel(bias));
    },
  };
}
