/** A whole training step of the d2l net, batch 1, in both libraries from the same parameters. */
import { fromTfjs } from "../lib/layouts.mjs";
import { generator, integers, uniform } from "../lib/random.mjs";
import { d2lStep, kindOf, variablesFrom } from "./d2lTfjs.mjs";

const CLASSES = 21;
/** Large, since the gradients of random labels are small and their updates must stand out of float32 rounding. */
const LEARNING_RATE = 1;
/** Parameters from the first layer to the last whose updates are compared. */
const WATCHED = [
  "0.weight",
  "1.bias",
  "4.0.conv1.weight",
  "6.0.downsample.0.weight",
  "7.1.bn2.weight",
  "final_conv.weight",
  "transpose_conv.weight",
  "transpose_conv.bias",
];

const changes = (state, before) =>
  Object.fromEntries(
    WATCHED.map((name) => {
      const { shape, data } = state[name];
      return [`change of ${name}`, { shape, data: data.map((value, i) => value - before[name].data[i]) }];
    }),
  );

async function hostState(net) {
  const state = {};
  for (const [name, tensor] of Object.entries(net.stateDict())) {
    state[name] = { shape: tensor.shape, data: await tensor.data() };
  }
  return state;
}

function openOurs({ T, fcn, device, upload }, image, label) {
  const net = fcn.models.create("d2l-resnet18", device, { numClasses: CLASSES, seed: 1 });
  net.train();
  const optimizer = new T.optim.SGD(net.parameters(), { lr: LEARNING_RATE });
  const x = upload(image);
  const target = upload(label);
  const step = () => {
    optimizer.zeroGrad();
    const loss = T.crossEntropy(net.forward(x), target);
    loss.backward();
    optimizer.step();
    return { loss };
  };
  return { net, step, owned: [x, target] };
}

async function tfjsState(variables, before) {
  const state = {};
  for (const name of WATCHED) {
    const { shape } = variables[name];
    state[name] = fromTfjs(kindOf(name, before[name].shape), { shape, data: await variables[name].data() });
  }
  return state;
}

function openTfjs(side, state, image, label) {
  const { tf } = side;
  const variables = variablesFrom(side, state);
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const x = side.upload(image);
  const oneHot = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(label.data, "int32"), CLASSES), "float32"));
  const step = () => ({ loss: d2lStep(tf, variables, optimizer, x, oneHot) });
  return { variables, step, owned: [x, oneHot, ...Object.values(variables)] };
}

function inputs(h, w) {
  const next = generator(11);
  const image = { kind: "activation", shape: [1, 3, h, w], data: uniform(next, 3 * h * w) };
  return [image, { kind: "plain", shape: [1, h, w], data: integers(next, h * w, CLASSES) }];
}

/** The row compares the loss of the first step, and how far that moved parameters all through the net. */
export function d2lRow({ h, w }) {
  return {
    title: `training step of d2l-resnet18, batch 1, ${h}x${w}`,
    group: "training",
    note: "forward, cross-entropy, backward and plain SGD; batch norm in training mode",
    tolerance: 2e-2,
    openOurs: (side) => openOurs(side, ...inputs(h, w)),
    async open(ours, tfjs) {
      const [image, label] = inputs(h, w);
      const mine = openOurs(ours, image, label);
      const before = await hostState(mine.net);
      const theirs = openTfjs(tfjs, before, image, label);
      const state = {
        ours: async () => changes(await hostState(mine.net), before),
        tfjs: async () => changes(await tfjsState(theirs.variables, before), before),
      };
      return { ours: mine, tfjs: theirs, kinds: {}, state };
    },
  };
}
