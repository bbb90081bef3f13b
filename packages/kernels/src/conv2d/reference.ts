import type { Conv2dGeometry } from "./geometry.js";

export type Numbers = ArrayLike<number>;

/** On one axis, input position `i` contributes to output position `o` through tap `k`. */
interface Meeting {
  readonly i: number;
  readonly k: number;
  readonly o: number;
}

interface AxisSizes {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
}

/** Goes from the input side: each input position and tap have at most one output, which a division finds. */
function meetings({ input, output, kernel, stride, pad, dilation }: AxisSizes): Meeting[] {
  const found: Meeting[] = [];
  for (let i = 0; i < input; i++) {
    for (let k = 0; k < kernel; k++) {
      const o = (i + pad - k * dilation) / stride;
      if (Number.isInteger(o) && o >= 0 && o < output) found.push({ i, k, o });
    }
  }
  return found;
}

/**
 * Calls `visit(x, w, y)` with the flat indices of every product of the convolution: x in NCHW (larger side), w in OIHW,
 * y in NCHW (smaller side). The convolution, its gradients and its adjoint all scatter over this one list.
 */
export function forEachConv2dProduct(g: Conv2dGeometry, visit: (x: number, w: number, y: number) => void): void {
  const [cin, cout] = [g.inC / g.groups, g.outC / g.groups];
  const rows = meetings({
    input: g.inH,
    output: g.outH,
    kernel: g.kernelH,
    stride: g.strideH,
    pad: g.padH,
    dilation: g.dilationH,
  });
  const columns = meetings({
    input: g.inW,
    output: g.outW,
    kernel: g.kernelW,
    stride: g.strideW,
    pad: g.padW,
    dilation: g.dilationW,
  });
  for (let n = 0; n < g.n; n++) {
    for (let channel = 0; channel < g.inC; channel++) {
      const group = Math.floor(channel / cin);
      const xPlane = (n * g.inC + channel) * g.inH;
      for (let filter = group * cout; filter < (group + 1) * cout; filter++) {
        const wPlane = (filter * cin + (channel % cin)) * g.kernelH;
        const yPlane = (n * g.outC + filter) * g.outH;
        for (const row of rows) {
          const xRow = (xPlane + row.i) * g.inW;
          const wRow = (wPlane + row.k) * g.kernelW;
          const yRow = (yPlane + row.o) * g.outW;
          for (const column of columns) visit(xRow + column.i, wRow + column.k, yRow + column.o);
        }
      }
    }
  }
}

/** An array of [n, channels, size] that starts at the bias of its channel, or at 0. */
function biased(n: number, channels: number, size: number, b: Numbers | undefined): Float64Array {
  const out = new Float64Array(n * channels * size);
  if (b) for (let i = 0; i < out.length; i++) out[i] = b[Math.floor(i / size) % channels]!;
  return out;
}

/**
 * Convolution in float64, scattered from the inputs: x [n, inC, inH, inW], w [outC, inC / groups, kernelH, kernelW],
 * b [outC] -> [n, outC, outH, outW].
 */
export function conv2d(g: Conv2dGeometry, x: Numbers, w: Numbers, b?: Numbers): Float64Array {
  const out = biased(g.n, g.outC, g.outH * g.outW, b);
  forEachConv2dProduct(g, (xi, wi, yi) => {
    out[yi]! += x[xi]! * w[wi]!;
  });
  return out;
}

/**
 * Transposed convolution in float64, the adjoint of {@link conv2d} and so also its input gradient:
 * y [n, outC, outH, outW], w as there, b [inC] -> [n, inC, inH, inW].
 */
export function convTranspose2d(g: Conv2dGeometry, y: Numbers, w: Numbers, b?: Numbers): Float64Array {
  const out = biased(g.n, g.inC, g.inH * g.inW, b);
  forEachConv2dProduct(g, (xi, wi, yi) => {
    out[xi]! += y[yi]! * w[wi]!;
  });
  return out;
}

/** Weight gradient in float64 from the larger side x and the smaller side y, in the shape of w. */
export function conv2dWeightGradient(g: Conv2dGeometry, x: Numbers, y: Numbers): Float64Array {
  const out = new Float64Array(g.outC * (g.inC / g.groups) * g.kernelH * g.kernelW);
  forEachConv2dProduct(g, (xi, wi, yi) => {
    out[wi]! += x[xi]! * y[yi]!;
  });
  return out;
}
