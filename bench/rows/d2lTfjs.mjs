/**
 * The ResNet-18 FCN of d2l (chapter "Fully convolutional networks") written with tfjs-core ops: training-mode batch
 * norm with running statistics, 1x1 scores, 64x64 stride 32 conv-transpose, cross-entropy. Parameters come from a state
 * dict with PyTorch's names and orders, so that both libraries start from the same numbers.
 */

const MOMENTUM = 0.1;
const EPS = 1e-5;

const isWeight = (name) => /(weight|bias)$/.test(name);
/** What a parameter of this net is, for lib/layouts.mjs. */
export const kindOf = (name, shape) => {
  if (shape.length !== 4) return "plain";
  return name.startsWith("transpose_conv") ? "transposeWeight" : "convWeight";
};

/** tf.Variables by state-dict name; running statistics are not trainable. */
export function variablesFrom(side, state) {
  const variables = {};
  for (const [name, { shape, data }] of Object.entries(state)) {
    if (name.endsWith("num_batches_tracked")) continue;
    const initial = side.upload({ kind: kindOf(name, shape), shape, data });
    variables[name] = side.tf.variable(initial, isWeight(name));
    initial.dispose();
  }
  return variables;
}

function layers(tf, v) {
  const conv = (x, name, stride, pad) => {
    const y = tf.conv2d(x, v[`${name}.weight`], stride, pad);
    return v[`${name}.bias`] ? tf.add(y, v[`${name}.bias`]) : y;
  };
  const track = (running, value) => {
    running.assign(tf.add(tf.mul(running, 1 - MOMENTUM), tf.mul(value, MOMENTUM)));
  };
  const norm = (x, name) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const count = x.size / x.shape[3];
    track(v[`${name}.running_mean`], mean);
    track(v[`${name}.running_var`], tf.mul(variance, count / (count - 1)));
    return tf.batchNorm(x, mean, variance, v[`${name}.bias`], v[`${name}.weight`], EPS);
  };
  const block = (x, name, stride) => {
    const inner = tf.relu(norm(conv(x, `${name}.conv1`, stride, 1), `${name}.bn1`));
    const outer = norm(conv(inner, `${name}.conv2`, 1, 1), `${name}.bn2`);
    const projected = v[`${name}.downsample.0.weight`];
    const shortcut = projected ? norm(conv(x, `${name}.downsample.0`, stride, 0), `${name}.downsample.1`) : x;
    return tf.relu(tf.add(outer, shortcut));
  };
  return { conv, norm, block };
}

/** Logits [N, H, W, classes] of an image [N, H, W, 3]. */
export function d2lForward(tf, v, image) {
  const { conv, norm, block } = layers(tf, v);
  let x = tf.relu(norm(conv(image, "0", 2, 3), "1"));
  // PyTorch pads a max-pool with minus infinity; after a ReLU zeros give the same maxima.
  x = tf.maxPool(
    tf.pad(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]),
    3,
    2,
    "valid",
  );
  for (const stage of [4, 5, 6, 7]) {
    x = block(x, `${stage}.0`, stage === 4 ? 1 : 2);
    x = block(x, `${stage}.1`, 1);
  }
  x = conv(x, "final_conv", 1, 0);
  const [n, h, w, classes] = x.shape;
  const up = tf.conv2dTranspose(x, v["transpose_conv.weight"], [n, h * 32, w * 32, classes], 32, 16);
  const logits = tf.add(up, v["transpose_conv.bias"]);
  return tf.slice(logits, [0, 0, 0, 0], [n, image.shape[1], image.shape[2], classes]);
}

/** One step of plain SGD on the mean cross-entropy; returns the loss before the step, a scalar. */
export function d2lStep(tf, v, optimizer, image, oneHot) {
  const classes = oneHot.shape[1];
  return optimizer.minimize(() => {
    const logits = d2lForward(tf, v, image);
    return tf.losses.softmaxCrossEntropy(oneHot, tf.reshape(logits, [-1, classes]));
  }, true);
}
