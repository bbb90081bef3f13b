import { fits } from "../bindingParts.js";
import { type Capabilities, ceilDiv } from "../plan.js";
import type { KernelTile } from "../tuning.js";
import type { Conv2dGeometry } from "./geometry.js";

/** The most bytes that the transformed image of one run over its rows of tiles may take; 32 MiB are no faster. */
export const CHUNK_BYTES = 8 * 1024 * 1024;
/** The most that it may take for a weight gradient, which is summed in one run. */
const GRADIENT_BYTES = 32 * 1024 * 1024;

/** The rows of tiles of an image that lies in SIZE x SIZE tiles. */
export interface Tiling {
  readonly size: number;
  readonly tilesH: number;
  readonly tilesW: number;
  /** Factors of a tile: (size + 2)^2. */
  readonly factors: number;
}

export const tilingOf = (size: number, h: number, w: number): Tiling => ({
  size,
  tilesH: ceilDiv(h, size),
  tilesW: ceilDiv(w, size),
  factors: (size + 2) ** 2,
});

/** One row of tiles of `channels` channels, transformed, in bytes. */
export const rowBytes = ({ tilesW, factors }: Tiling, channels: number): number => tilesW * factors * channels * 4;

/** With fewer channels or pixels the transforms, of the image or of the weight, cost more than they save. */
const [FEWEST_CHANNELS, FEWEST_PIXELS] = [32, 320];

/** Tiles of 4 x 4 and of 2 x 2 outputs for the convolutions that minimal filtering serves. */
export function winogradTiles(g: Conv2dGeometry, isGradient: boolean, caps: Capabilities): KernelTile[] {
  const isPlain = g.strideH === 1 && g.strideW === 1 && g.dilationH === 1 && g.dilationW === 1 && g.groups === 1;
  const isEven = g.inC % 4 === 0 && g.outC % 4 === 0;
  if (!(isPlain && isEven && g.kernelH === 3 && g.kernelW === 3)) return [];
  if (Math.min(g.inC, g.outC) < FEWEST_CHANNELS || g.n * g.outH * g.outW < FEWEST_PIXELS) return [];
  const largest = g.n * Math.max(g.inC * g.inH * g.inW, g.outC * g.outH * g.outW);
  return [4, 2].flatMap((size): KernelTile[] => {
    const tiling = tilingOf(size, g.outH, g.outW);
    const chunk = isGradient ? g.n * tiling.tilesH * rowBytes(tiling, Math.max(g.inC, g.outC)) : 0;
    const isSmall = fits(Math.max(largest, g.inC * g.outC * tiling.factors), caps) && chunk <= GRADIENT_BYTES;
    return isSmall ? [{ variant: "winograd", TM: size, SGN: 1, TV: 1 }] : [];
  });
}
