/** Turns an operation of ops.mjs into two rows: its forward pass, and its forward and backward pass together. */
import { generator, uniform } from "../lib/random.mjs";

const SEED = 20150612;
const pick = (record, names) => Object.fromEntries(names.map((name) => [name, record[name]]));

/** The upstream gradient of the output: 1 for a loss, seeded numbers for anything else. */
function upstream(kind, shape) {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = shape.length ? uniform(generator(77), length) : new Float32Array(1).fill(1);
  return { kind, shape, data };
}

/** Outputs of both sides share these names: "y" and "d<input>". */
const kindsOf = (op, inputs) => ({
  y: op.kind,
  ...Object.fromEntries(op.wrt.map((name) => [`d${name}`, inputs[name].kind])),
});

function oursForward(side, op, inputs, backward) {
  const tensors = {};
  for (const [name, host] of Object.entries(inputs)) {
    tensors[name] = side.upload(host, { requiresGrad: backward && op.wrt.includes(name) });
  }
  const forward = () => ({ y: op.ours(side.T, tensors) });
  return { tensors, forward };
}

async function oursRow(side, op, inputs, backward) {
  const { tensors, forward } = oursForward(side, op, inputs, backward);
  if (!backward) return { step: () => side.T.noGrad(forward), owned: Object.values(tensors) };
  const shape = await side.shapeOf(forward);
  const dy = side.upload(upstream(op.kind, shape));
  const step = () => {
    const { y } = forward();
    y.backward(shape.length ? dy : undefined);
    const outputs = { y };
    for (const name of op.wrt) {
      outputs[`d${name}`] = tensors[name].grad;
      tensors[name].grad = undefined;
    }
    return outputs;
  };
  return { step, owned: [...Object.values(tensors), dy], shape };
}

function tfjsRow(side, op, inputs, backward, shape) {
  const { tf } = side;
  let tensors = Object.fromEntries(Object.entries(inputs).map(([name, host]) => [name, side.upload(host)]));
  if (op.prepareTfjs) tensors = { ...tensors, ...op.prepareTfjs(tf, tensors) };
  const forward = (values) => op.tfjs(tf, { ...tensors, ...values });
  if (!backward) return { step: () => ({ y: forward({}) }), owned: Object.values(tensors) };
  const dy = side.upload(upstream(op.kind, shape));
  const gradient = tf.valueAndGrads((...list) => forward(Object.fromEntries(op.wrt.map((name, i) => [name, list[i]]))));
  const step = () => {
    const { value, grads } = gradient(Object.values(pick(tensors, op.wrt)), shape.length ? dy : undefined);
    return { y: value, ...Object.fromEntries(op.wrt.map((name, i) => [`d${name}`, grads[i]])) };
  };
  return { step, owned: [...Object.values(tensors), dy] };
}

/** One row of the table; `open` makes its inputs on both sides, resident on the GPU. */
function row(op, backward) {
  const openOurs = (side) => oursRow(side, op, op.inputs(generator(SEED)), backward);
  return {
    title: backward ? `${op.title}: forward + backward` : op.title,
    group: backward ? "gradient" : "forward",
    note: op.note,
    flop: backward ? undefined : op.flop,
    tolerance: 1e-4,
    openOurs,
    async open(ours, tfjs) {
      const inputs = op.inputs(generator(SEED));
      const mine = await openOurs(ours);
      const theirs = tfjsRow(tfjs, op, inputs, backward, mine.shape);
      return { ours: mine, tfjs: theirs, kinds: kindsOf(op, inputs) };
    },
  };
}

export const passRows = (ops) => ops.flatMap((op) => [row(op, false), row(op, true)]);
