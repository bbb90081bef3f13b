/**
 * Host conversions between the logical order of the packages (PyTorch's) and the order that tfjs wants. A kind names
 * what a tensor is: each library gets its own natural layout before any timing begins.
 *
 *   activation       [N, C, H, W]         <-> [N, H, W, C]
 *   convWeight       [O, I, KH, KW]       <-> [KH, KW, I, O]
 *   depthwiseWeight  [C, 1, KH, KW]       <-> [KH, KW, C, 1]
 *   transposeWeight  [I, O, KH, KW]       <-> [KH, KW, O, I]
 *   diagonalWeight   [C, 1, KH, KW]       <-> [KH, KW, C, C], zero off the diagonal: tfjs has no grouped conv-transpose
 *   plain            as it is
 */

/** dims[i] is the axis of the logical tensor that becomes axis i for tfjs. */
const ORDER = {
  activation: [0, 2, 3, 1],
  convWeight: [2, 3, 1, 0],
  depthwiseWeight: [2, 3, 0, 1],
  transposeWeight: [2, 3, 1, 0],
};

/** Copies `data` of `shape` with its axes in the order `dims`. */
function permute(data, shape, dims) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const [a, b, c, d] = dims.map((axis) => shape[axis]);
  const [sa, sb, sc, sd] = dims.map((axis) => strides[axis]);
  const out = new data.constructor(data.length);
  let at = 0;
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) {
        const base = i * sa + j * sb + k * sc;
        for (let l = 0; l < d; l++) out[at++] = data[base + l * sd];
      }
    }
  }
  return { data: out, shape: [a, b, c, d] };
}

const inverse = (dims) => dims.map((_, axis) => dims.indexOf(axis));

function spreadDiagonal({ data, shape: [channels, , kernelH, kernelW] }) {
  const taps = kernelH * kernelW;
  const out = new Float32Array(taps * channels * channels);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < channels; c++) out[(t * channels + c) * channels + c] = data[c * taps + t];
  }
  return { data: out, shape: [kernelH, kernelW, channels, channels] };
}

function takeDiagonal({ data, shape: [kernelH, kernelW, channels] }) {
  const taps = kernelH * kernelW;
  const out = new Float32Array(taps * channels);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < channels; c++) out[c * taps + t] = data[(t * channels + c) * channels + c];
  }
  return { data: out, shape: [channels, 1, kernelH, kernelW] };
}

/** A logical host tensor `{ kind, data, shape }` as tfjs wants it. */
export function toTfjs(tensor) {
  if (tensor.kind === "diagonalWeight") return spreadDiagonal(tensor);
  const dims = ORDER[tensor.kind];
  return dims ? permute(tensor.data, tensor.shape, dims) : { data: tensor.data, shape: tensor.shape };
}

/** Host values that tfjs computed, back in logical order. */
export function fromTfjs(kind, tensor) {
  if (kind === "diagonalWeight") return takeDiagonal(tensor);
  const dims = ORDER[kind];
  return dims ? permute(tensor.data, tensor.shape, inverse(dims)) : tensor;
}
