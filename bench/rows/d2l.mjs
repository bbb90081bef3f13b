/** A whole training step of the d2l net, batch 1, in two libraries from the same parameters. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** Ours, and the change of its parameters since it was opened. */
async function openNet(side, [image, label]) {
  const mine = openOurs(side, image, label);
  const before = await hostState(mine.net);
  return { ...mine, before, state: async () => changes(await hostState(mine.net), before) };
}

/** PyTorch starts from the same parameters by way of a file. */
async function openTorch(side, { T, before }, [image, label]) {
  const folder = await mkdtemp(join(tmpdir(), "fcn-bench-"));
  const file = join(folder, "d2l.safetensors");
  const tensors = { ...before, image, label };
  const dtypeOf = ({ data }) => (data instanceof Int32Array ? "int32" : "float32");
  const host = Object.entries(tensors).map(([name, value]) => [name, { ...value, dtype: dtypeOf(value) }]);
  try {
    await T.io.writeSafetensors(file, Object.fromEntries(host));
    await side.ask({ open: file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const state = async () => {
    const read = {};
    for (const name of WATCHED) {
      const bytes = Buffer.from((await side.ask({ read: name })).base64, "base64");
      read[name] = { shape: before[name].shape, data: new Float32Array(new Uint8Array(bytes).buffer) };
    }
    return changes(read, before);
  };
  return { step: () => side.ask({ step: true }), state, owned: [] };
}

/** The row compares the loss of the first step, and how far that moved parameters all through the net. */
function stepRow({ group, h, w }, peers) {
  return {
    title: `training step of d2l-resnet18, batch 1, ${h}x${w}`,
    group,
    note: "forward, cross-entropy, backward and plain SGD; batch norm in training mode",
    tolerance: 2e-2,
    kinds: {},
    opens: { ours: (side) => openNet(side, inputs(h, w)), ...peers },
  };
}

export const d2lRow = ({ group, h, w }) =>
  stepRow(
    { group, h, w },
    {
      tfjs(side, { opened }) {
        const { before } = opened.ours;
        const theirs = openTfjs(side, before, ...inputs(h, w));
        return { ...theirs, state: async () => changes(await tfjsState(theirs.variables, before), before) };
      },
    },
  );

export const d2lTorchRow = ({ group, h, w }) =>
  stepRow(
    { group, h, w },
    {
      torch: (side, { sides, opened }) =>
        openTorch(side, { T: sides.ours.T, before: opened.ours.before }, inputs(h, w)),
    },
  );
