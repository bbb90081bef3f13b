import { type ImagePart, imageParts } from "../bindingParts.js";
import { type Capabilities, ceilDiv } from "../plan.js";
import type { Conv2dGeometry, Direction } from "./geometry.js";

/** The two sides of a gather and its channel counts, by direction. */
export interface Sides {
  readonly transposed: boolean;
  readonly from: { readonly h: number; readonly w: number; readonly c: number };
  readonly to: { readonly h: number; readonly w: number; readonly c: number };
  /** Rows of K for each tap, and columns, of one group. */
  readonly cin: number;
  readonly cout: number;
  readonly phases: number;
  readonly gridH: number;
  readonly gridW: number;
}

export function sidesOf(g: Conv2dGeometry, direction: Direction): Sides {
  const big = { h: g.inH, w: g.inW, c: g.inC };
  const small = { h: g.outH, w: g.outW, c: g.outC };
  const transposed = direction === "transposed";
  const [from, to] = transposed ? [small, big] : [big, small];
  return {
    transposed,
    from,
    to,
    cin: from.c / g.groups,
    cout: to.c / g.groups,
    phases: transposed ? g.strideH * g.strideW : 1,
    gridH: transposed ? ceilDiv(to.h, g.strideH) : to.h,
    gridW: transposed ? ceilDiv(to.w, g.strideW) : to.w,
  };
}

/** Parts of the walk over the phase grid. A row of it is an output row or, where transposed, `strideH` output rows. */
export function gatherParts(g: Conv2dGeometry, s: Sides, caps: Capabilities): ImagePart[] {
  const span = (g.kernelH - 1) * g.dilationH;
  const stride = g.strideH;
  return imageParts(
    {
      n: g.n,
      steps: s.gridH,
      from: { rows: s.from.h, length: s.from.w * s.from.c },
      to: { rows: s.to.h, length: s.to.w * s.to.c },
      reads: s.transposed
        ? (begin, end) => ({
            begin: Math.ceil((begin * stride + g.padH - span) / stride),
            end: Math.floor((end * stride - 1 + g.padH) / stride) + 1,
          })
        : (begin, end) => ({ begin: begin * stride - g.padH, end: (end - 1) * stride - g.padH + span + 1 }),
      writes: s.transposed
        ? (begin, end) => ({ begin: begin * stride, end: end * stride })
        : (begin, end) => ({ begin, end }),
    },
    caps,
  );
}

/** Ranges of output lines (n, oy) of a weight gradient, with the parts of x (`from`) and dy (`to`) that they read. */
export const weightGradientParts = (g: Conv2dGeometry, caps: Capabilities): ImagePart[] =>
  gatherParts(g, sidesOf(g, "forward"), caps);
