import { TensorError } from "@fcn/tensor";
import type { Layer, LayerKind, LayerOf } from "../../models/graph/kinds/index.js";
import { AXES, type PaddedWindow } from "../../models/graph/plane/window.js";
import { ABSENT, cut, floats, ints, type Op, op, plane, scalar, sizeAlong, sizes, type Value } from "./expression.js";
import { dilationOf, extentOf, fixedPadding, pads, padsBySize, strideOf, windowAttributes } from "./padding.js";
import { DATA_TYPE } from "./schema.js";

/** What a layer's converter works with. */
export interface LayerContext {
  readonly name: string;
  /** The first input. */
  readonly x: Value;
  readonly inputs: readonly Value[];
  /** The full name of one of the layer's parameters or buffers. */
  readonly parameter: (name: string) => string;
  /** [top, left] of a crop, in pixels. */
  readonly offset: () => Value;
}

/** Expresses a layer in ONNX operators; a layer that does nothing in inference returns its input. */
type Converter<K extends LayerKind> = (layer: LayerOf<K>, context: LayerContext) => Value;

const convolution =
  (type: string, biasByDefault: boolean) =>
  (layer: LayerOf<"conv" | "convTranspose">, { name, x, parameter }: LayerContext): Op => {
    const weights = (layer.bias ?? biasByDefault) ? ["weight", "bias"] : ["weight"];
    const window = { ...windowAttributes(name, layer), dilations: dilationOf(layer) };
    return op(type, [x, ...weights.map(parameter)], { ...window, group: layer.groups ?? 1 });
  };
const chain =
  (type: string) =>
  (_: Layer, { inputs }: LayerContext): Value =>
    inputs.reduce((a, b) => op(type, [a, b]));
const hardsigmoid = (x: Value): Op => op("HardSigmoid", [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
/** Shapes one value per channel, [C], to broadcast over images [N, C, H, W]. */
const perChannel = (vector: Value): Op => op("Unsqueeze", [vector, ints(1, 2)]);

/** A converter for each kind of layer. The operators are from opset 13, and later opsets keep their inputs. */
export const CONVERTERS: { readonly [K in LayerKind]: Converter<K> } = {
  input: (_, { x }) => x,
  conv: convolution("Conv", true),
  convTranspose: convolution("ConvTranspose", false),
  maxPool: (layer, { name, x }) =>
    inCeilMode(layer, x, op("MaxPool", [x], { ...windowAttributes(name, layer), dilations: dilationOf(layer) })),
  avgPool: (layer, { name, x }) => {
    const { ceilMode = false, countIncludePad = true } = layer;
    // Runtimes differ in whether they count what ceil mode adds after the padding. None does if the padding is part of
    // the input.
    const padFirst = ceilMode && countIncludePad && !padsBySize(layer);
    const source = padFirst ? zerosAround(x, layer) : x;
    const attributes = windowAttributes(name, padFirst ? { ...layer, padding: 0 } : layer);
    const count = { count_include_pad: countIncludePad && !padFirst ? 1 : 0 };
    return inCeilMode(layer, x, op("AveragePool", [source], { ...attributes, ...count }));
  },
  globalPool: (_, { x }) => op("GlobalAveragePool", [x]),
  batchNorm: ({ eps = 1e-5 }, { x, parameter }) =>
    op("BatchNormalization", [x, ...["weight", "bias", "running_mean", "running_var"].map(parameter)], {
      epsilon: { float: eps },
    }),
  groupNorm: ({ groups, eps = 1e-5 }, { x, parameter }) => {
    const grouped = op("Reshape", [x, ints(0, groups, -1)]);
    const [ones, zeros] = [floats(...Array(groups).fill(1)), floats(...Array(groups).fill(0))];
    const normal = op("InstanceNormalization", [grouped, ones, zeros], { epsilon: { float: eps } });
    const image = op("Reshape", [normal, op("Shape", [x])]);
    return op("Add", [op("Mul", [image, perChannel(parameter("weight"))]), perChannel(parameter("bias"))]);
  },
  lrn: ({ size, alpha, beta, k = 1 }, { name, x }) => {
    if (size % 2 === 0) {
      throw new TensorError({
        code: "unsupported",
        message: `exportOnnx: lrn ${name} has a window of ${size} channels, but ONNX's LRN takes odd ones only`,
        fix: "use an odd size",
      });
    }
    return op("LRN", [x], { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: k } });
  },
  relu: (_, { x }) => op("Relu", [x]),
  relu6: (_, { x }) => op("Clip", [x, scalar(0), scalar(6)]),
  // The operator HardSwish came with opset 14.
  hardswish: (_, { x }) => op("Mul", [x, hardsigmoid(x)]),
  hardsigmoid: (_, { x }) => hardsigmoid(x),
  sigmoid: (_, { x }) => op("Sigmoid", [x]),
  dropout: (_, { x }) => x,
  scale: ({ factor }, { x }) => op("Mul", [x, scalar(factor)]),
  add: chain("Add"),
  max: chain("Max"),
  gate: chain("Mul"),
  concat: (_, { inputs }) => op("Concat", inputs, { axis: 1 }),
  slice: ({ start, end }, { x }) => op("Slice", [x, ints(start), ints(end), ints(1)]),
  pad: (layer, { x }) => zerosAround(x, { kernelSize: 1, padding: layer.padding }),
  resize: (layer, { inputs: [x = ABSENT, reference] }) => resize(layer, x, reference),
  crop: (_, { inputs: [x = ABSENT, reference = ABSENT], offset }) => {
    const start = offset();
    return cut(x, start, op("Add", [start, plane(reference)]));
  },
};

export const convertLayer = (layer: Layer, context: LayerContext): Value =>
  (CONVERTERS[layer.kind] as Converter<LayerKind>)(layer as never, context);

/**
 * In ceil mode Caffe and PyTorch omit a last window that would start in the padding after the image, but not all
 * runtimes do, so it is cut off wherever it can occur.
 */
function inCeilMode(layer: PaddedWindow & { readonly ceilMode?: boolean }, x: Value, pool: Op): Op {
  // With padding by size, the windows cover the input exactly.
  if (layer.ceilMode !== true || padsBySize(layer)) return pool;
  const pooled = { ...pool, attributes: { ...pool.attributes, ceil_mode: 1 } };
  const [stride, extent, padding] = [strideOf(layer), extentOf(layer), fixedPadding(layer)];
  const mayStartAfter = AXES.some((axis) => stride[axis] + padding[axis][1] > extent[axis]);
  if (!mayStartAfter) return pooled;
  const lastStart = op("Add", [plane(x), ints(...padding.map(([before]) => before - 1))]);
  const cells = op("Add", [op("Div", [lastStart, ints(...stride)]), ints(1, 1)]);
  return cut(pooled, ints(0, 0), cells);
}

function zerosAround(x: Value, layer: PaddedWindow): Op {
  const [top = 0, left = 0, bottom = 0, right = 0] = pads(fixedPadding(layer));
  return op("Pad", [x, ints(0, 0, top, left, 0, 0, bottom, right)], { mode: "constant" });
}

function resize(layer: LayerOf<"resize">, x: Value, reference: Value | undefined): Value {
  const { mode } = layer;
  if ("scaleFactor" in layer) {
    const scales = floats(1, 1, layer.scaleFactor, layer.scaleFactor);
    const sampling =
      mode === "nearest"
        ? { mode, coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }
        : { mode: "linear", coordinate_transformation_mode: "half_pixel" };
    return op("Resize", [x, ABSENT, scales], sampling);
  }
  if (reference === undefined) return x;
  if (mode === "nearest") return [2, 3].reduce((image, axis) => nearestAlong(image, reference, axis), x);
  const coordinates = layer.alignCorners ? "align_corners" : "half_pixel";
  const target = op("Concat", [sizes(x, 0, 2), plane(reference)], { axis: 0 });
  return op("Resize", [x, ABSENT, ABSENT, target], { mode: "linear", coordinate_transformation_mode: coordinates });
}

/**
 * For each pixel i of the reference, takes pixel floor(i * (in / out)) along one axis, in float32 like PyTorch. Resize
 * divides by out / in instead, which at some sizes falls on the other side of a whole number.
 */
function nearestAlong(x: Value, reference: Value, axis: number): Op {
  const size = op("Cast", [sizeAlong(x, axis)], { to: DATA_TYPE.float32 });
  const target = op("Cast", [sizeAlong(reference, axis)], { to: DATA_TYPE.float32 });
  const pixels = op("Range", [scalar(0), target, scalar(1)]);
  const nearest = op("Cast", [op("Mul", [pixels, op("Div", [size, target])])], { to: DATA_TYPE.int64 });
  return op("Gather", [x, nearest], { axis });
}
