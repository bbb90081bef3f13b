/**
 * A 2-D convolution as numbers. Also describes the transposed convolution that is its adjoint: there `in*` is the
 * larger side (the output of the transposed convolution) and `out*` its input.
 */
export interface Conv2dGeometry {
  readonly n: number;
  readonly inC: number;
  readonly inH: number;
  readonly inW: number;
  readonly outC: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  /** Zeros before the first row and column; those after the last follow from the sizes. */
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly groups: number;
}

/** Direction of a gather: `forward` reads the larger side and writes the smaller, `transposed` the reverse. */
export type Direction = "forward" | "transposed";

export const isDepthwise = (g: Conv2dGeometry): boolean => g.groups > 1 && g.inC === g.groups && g.outC === g.groups;

/** What tiles depend on, except for the sizes of the images. */
export function geometryKey(g: Conv2dGeometry): string {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, inC, outC, groups } = g;
  const window = `${kernelH}x${kernelW} stride ${strideH}x${strideW} dilation ${dilationH}x${dilationW}`;
  return `${window} channels ${inC}-${outC} groups ${groups}`;
}

export const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Greatest common divisor of stride and dilation, and the inverse of dilation/gcd modulo stride/gcd. */
function phaseNumbers(stride: number, dilation: number): { gcd: number; inverse: number } {
  const common = gcd(stride, dilation);
  const modulus = stride / common;
  const value = (dilation / common) % modulus;
  let inverse = 0;
  for (let i = 0; i < modulus; i++) {
    if ((value * i) % modulus === 1 % modulus) {
      inverse = i;
      break;
    }
  }
  return { gcd: common, inverse };
}

/** The parameters that every kernel of the family has under the same names. */
export function geometryParams(g: Conv2dGeometry): Record<string, number> {
  const { kernelW, strideH, strideW, padH, padW, dilationH, dilationW } = g;
  return { kernelW, strideH, strideW, padH, padW, dilationH, dilationW };
}

export function phaseParams(g: Conv2dGeometry): Record<string, number> {
  const y = phaseNumbers(g.strideH, g.dilationH);
  const x = phaseNumbers(g.strideW, g.dilationW);
  return { gcdH: y.gcd, gcdW: x.gcd, inverseH: y.inverse, inverseW: x.inverse };
}
