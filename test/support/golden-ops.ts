import type { Tensor } from "@fcn/tensor";
import * as ops from "@fcn/tensor";

/** The tensors of one golden call by role ("x", "w", "logits", ...). */
export type Roles = Readonly<Record<string, Tensor>>;

/** Options as they stand in the golden file: our names, unchecked by the compiler on purpose. */
// biome-ignore lint/suspicious/noExplicitAny: a golden file decides the type
export type Options = any;

type Call = (t: Roles, o: Options) => Tensor;

function need(t: Roles, role: string): Tensor {
  const found = t[role];
  if (found === undefined) throw new Error(`golden call has no tensor ${role}`);
  return found;
}

const unary =
  (f: (x: Tensor) => Tensor): Call =>
  (t) =>
    f(need(t, "x"));
const withOptions =
  (f: (x: Tensor, o: Options) => Tensor): Call =>
  (t, o) =>
    f(need(t, "x"), o);

/** b is a tensor, a number of the options, or a itself. */
const binary =
  (f: (a: Tensor, b: Tensor | number) => Tensor): Call =>
  (t, o) => {
    const a = need(t, "a");
    return f(a, o.bIsA === true ? a : (o.b ?? need(t, "b")));
  };

/** How each golden operator is called through the public contract. */
export const calls: Readonly<Record<string, Call>> = {
  conv2d: (t, o) => ops.conv2d(need(t, "x"), need(t, "w"), t.b, o),
  convTranspose2d: (t, o) => ops.convTranspose2d(need(t, "x"), need(t, "w"), t.b, o),
  maxPool2d: withOptions(ops.maxPool2d),
  avgPool2d: withOptions(ops.avgPool2d),
  interpolate: withOptions(ops.interpolate),
  relu: unary(ops.relu),
  relu6: unary(ops.relu6),
  leakyRelu: withOptions((x, o) => ops.leakyRelu(x, o.slope)),
  sigmoid: unary(ops.sigmoid),
  exp: unary(ops.exp),
  log: unary(ops.log),
  sqrt: unary(ops.sqrt),
  neg: unary(ops.neg),
  clamp: withOptions(ops.clamp),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  pow: binary(ops.pow),
  sum: withOptions(ops.sum),
  mean: withOptions(ops.mean),
  max: withOptions(ops.max),
  argmax: withOptions(ops.argmax),
  softmax: withOptions(ops.softmax),
  logSoftmax: withOptions(ops.logSoftmax),
  matmul: (t) => ops.matmul(need(t, "a"), need(t, "b")),
  concat: (t, o) => ops.concat(Object.values(t), o),
  slice: withOptions((x, o) => ops.slice(x, o.ranges)),
  crop: withOptions(ops.crop),
  pad: withOptions((x, { pairs, value }) => ops.pad(x, pairs, { value })),
  reshape: withOptions((x, o) => x.reshape(o.shape)),
  permute: withOptions((x, o) => x.permute(o.dims)),
  permuteThenReshape: withOptions((x, o) => x.permute(o.dims).reshape(o.shape)),
  crossEntropy: (t, o) =>
    ops.crossEntropy(need(t, "logits"), need(t, "target"), { ...o, ...(t.weight && { weight: t.weight }) }),
  batchNorm: (t, o) => {
    const { x: _, ...rest } = t;
    return ops.batchNorm(need(t, "x"), { ...o, ...rest });
  },
  adaptiveAvgPool2d: withOptions(ops.adaptiveAvgPool2d),
  layerNorm: (t, o) => {
    const { x: _, ...vectors } = t;
    return ops.layerNorm(need(t, "x"), { ...o, ...vectors });
  },
  linear: (t) => ops.linear(need(t, "x"), need(t, "w"), t.b),
  mseLoss: (t, o) => ops.mseLoss(need(t, "input"), need(t, "target"), o),
  l1Loss: (t, o) => ops.l1Loss(need(t, "input"), need(t, "target"), o),
  binaryCrossEntropyWithLogits: (t, o) => {
    const { input: _, target, ...weights } = t;
    return ops.binaryCrossEntropyWithLogits(need(t, "input"), target!, { ...o, ...weights });
  },
  localResponseNorm: withOptions(ops.localResponseNorm),
};
