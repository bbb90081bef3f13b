/** Turns an operation of ops.mjs into two rows: its forward pass, and its forward and backward pass together. */
import { generator, uniform } from "../lib/random.mjs";
import { netOpens } from "./net.mjs";

const SEED = 20150612;
const pick = (record, names) => names.map((name) => record[name]);
const named = (names, list) => Object.fromEntries(names.map((name, i) => [name, list[i]]));
const count = (shape) => shape.reduce((a, b) => a * b, 1);

/** The upstream gradient of the output: 1 for a loss, seeded numbers for anything else. */
function upstream(kind, shape) {
  const data = shape.length ? uniform(generator(77), count(shape)) : new Float32Array(1).fill(1);
  return { kind, shape, data };
}

/** Outputs of all sides share these names: "y" and "d<input>". */
const gradientNames = ({ wrt }) => wrt.map((name) => `d${name}`);
const kindsOf = (op, inputs) => ({
  y: op.kind,
  ...named(
    gradientNames(op),
    op.wrt.map((name) => inputs[name].kind),
  ),
});

const uploadAll = (side, inputs, options = () => ({})) =>
  Object.fromEntries(Object.entries(inputs).map(([name, host]) => [name, side.upload(host, options(name))]));

async function openOurs(side, op, inputs, backward) {
  const tensors = uploadAll(side, inputs, (name) => ({ requiresGrad: backward && op.wrt.includes(name) }));
  const forward = () => ({ y: op.ours(side.T, tensors) });
  const shape = await side.shapeOf(forward);
  if (!backward) return { step: () => side.T.noGrad(forward), owned: Object.values(tensors), shape };
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

function openTfjs(side, op, inputs, backward, shape) {
  const { tf } = side;
  let tensors = uploadAll(side, inputs);
  if (op.prepareTfjs) tensors = { ...tensors, ...op.prepareTfjs(tf, tensors) };
  const forward = (values) => op.tfjs(tf, { ...tensors, ...values });
  if (!backward) return { step: () => ({ y: forward({}) }), owned: Object.values(tensors) };
  const dy = side.upload(upstream(op.kind, shape));
  const gradient = tf.valueAndGrads((...list) => forward(named(op.wrt, list)));
  const step = () => {
    const { value, grads } = gradient(pick(tensors, op.wrt), shape.length ? dy : undefined);
    return { y: value, ...named(gradientNames(op), grads) };
  };
  return { step, owned: [...Object.values(tensors), dy] };
}

/** jax-js spends the arrays that it is given: `ref` keeps them. The whole pass is one `jit`. */
function openJax(side, op, inputs, backward, shape) {
  const { jax } = side;
  const names = Object.keys(inputs);
  const tensors = uploadAll(side, inputs);
  const owned = Object.values(tensors);
  if (!backward) {
    const forward = jax.jit((...list) => op.jax(jax, named(names, list)));
    return { step: () => ({ y: forward(...owned.map((array) => array.ref)) }), owned };
  }
  const fixed = names.filter((name) => !op.wrt.includes(name));
  const dy = side.upload(upstream(op.kind, shape));
  const pass = jax.jit((gradient, ...list) => {
    const others = named(fixed, list.slice(op.wrt.length));
    const keep = () => Object.fromEntries(Object.entries(others).map(([name, array]) => [name, array.ref]));
    const forward = (...learned) => op.jax(jax, { ...keep(), ...named(op.wrt, learned) });
    const [y, pull] = jax.vjp(forward, list.slice(0, op.wrt.length));
    return [y, ...pull(gradient)];
  });
  const given = [dy, ...pick(tensors, op.wrt), ...pick(tensors, fixed)];
  const step = () => named(["y", ...gradientNames(op)], pass(...given.map((array) => array.ref)));
  return { step, owned: given };
}

/** The operation as a net of one layer, for onnxruntime. */
function layerNet({ fcn, device }, op, inputs) {
  const builder = new fcn.models.GraphBuilder("one layer");
  const image = builder.add("image", { kind: "input", channels: inputs.x.shape[1] });
  const graph = builder.build({ y: builder.add("layer", op.layer, image) });
  const net = new fcn.models.GraphNet(device, graph, 1);
  const weights = { "layer.weight": inputs.w, "layer.bias": inputs.b };
  const state = Object.entries(weights).filter(([, value]) => value);
  const host = state.map(([name, { shape, data }]) => [name, { dtype: "float32", shape, data }]);
  net.loadStateDict(Object.fromEntries(host));
  return net;
}

/** One row of the table; `opens` makes its inputs on each side, resident on the GPU but for `host`. */
function row(op, group, backward) {
  const inputs = () => op.inputs(generator(SEED));
  const peers = (backward && op.gradientPeers) || op.peers;
  const works = (peer) => peers[peer] === true;
  const opens = { ours: (side) => openOurs(side, op, inputs(), backward) };
  const shapeOf = ({ opened }) => opened.ours.shape;
  if (works("tfjs")) opens.tfjs = (side, context) => openTfjs(side, op, inputs(), backward, shapeOf(context));
  if (works("jax")) opens.jax = (side, context) => openJax(side, op, inputs(), backward, shapeOf(context));
  if (works("wasm") && !backward) opens.wasm = (side) => side.prepare(() => openTfjs(side, op, inputs(), false));
  if (op.layer && works("onnx") && !backward) {
    const { host, onnx } = netOpens(
      (side) => layerNet(side, op, inputs()),
      () => inputs().x,
    );
    Object.assign(opens, { host, onnx });
  }
  const without = Object.entries(peers).filter(([, reason]) => reason !== true);
  const passes = backward ? 1 + op.wrt.filter((name) => name !== "b").length : 1;
  return {
    title: backward ? `${op.title}: forward + backward` : op.title,
    group,
    note: op.note,
    ...(without.length > 0 ? { without: Object.fromEntries(without) } : {}),
    ...(op.flop ? { flop: passes * op.flop, values: passes * op.values } : {}),
    tolerance: 1e-4,
    kinds: kindsOf(op, op.inputs(generator(SEED))),
    opens,
  };
}

/** Rows of both passes of each operation, as `group`. */
export const passRows = (group, ops) => ops.flatMap((op) => [row(op, group, false), row(op, group, true)]);
