/** Convolutions by their sizes, and every tile that plans may choose for them. */
import { planConv2d, planConv2dWeightGradient } from "@fcn/kernels";

/** The numbers of a convolution; what is left out is 1, or 0 for the padding. */
export function geometryOf(sizes) {
  const { n = 1, stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1, channels, size, kernel } = sizes;
  const out = (i) => Math.floor((size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1;
  return {
    n,
    inC: channels[0],
    inH: size[0],
    inW: size[1],
    outC: channels[1],
    outH: out(0),
    outW: out(1),
    kernelH: kernel[0],
    kernelW: kernel[1],
    strideH: stride[0],
    strideW: stride[1],
    padH: padding[0],
    padW: padding[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    groups,
  };
}

const SQUARE = { size: [80, 120], kernel: [3, 3], padding: [1, 1] };
/** Whole vec4 columns on both sides, an image with three channels, one filter a channel. */
export const TILE_CASES = {
  "64-64": { ...SQUARE, channels: [64, 64] },
  "3-64": { ...SQUARE, channels: [3, 64] },
  depthwise: { ...SQUARE, channels: [96, 96], groups: 96 },
};

/** The passes of a convolution as functions from capabilities to a plan: a convolution, its adjoint, its weight's. */
export const PASSES = {
  forward: (g, caps) => planConv2d(g, "forward", true, caps),
  transposed: (g, caps) => planConv2d(g, "transposed", false, caps),
  "weight gradient": (g, caps) => planConv2dWeightGradient(g, caps),
};

/**
 * The plans of a pass for every tile that it may choose, with the tile; a pass without a choice has one plan.
 * @returns {{ plan: any, tile: any }[]}
 */
export function plansByTile(pass, g, caps) {
  const { tuning: _, ...plain } = caps;
  const plan = PASSES[pass](g, plain);
  if (plan === undefined) return [];
  if (plan.tunable === undefined) return [{ plan, tile: undefined }];
  const { key, candidates } = plan.tunable;
  return candidates.map((tile) => ({ tile, plan: PASSES[pass](g, { ...plain, tuning: { [key]: tile } }) }));
}

/** A tile in words: "register TM8", "subgroup TM16 SGN32 TV2". */
export const tileName = (tile) =>
  tile === undefined
    ? "-"
    : [
        tile.variant,
        ...Object.entries(tile).flatMap(([name, n]) =>
          typeof n === "number" && (name === "TM" || n > 1) ? [`${name}${n}`] : [],
        ),
      ].join(" ");
