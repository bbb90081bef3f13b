import { type Capabilities, ceilDiv } from "../plan.js";
import type { KernelTile } from "../tuning.js";
import { busyWorkgroups } from "../variants.js";
import type { Conv2dGeometry } from "./geometry.js";

const workgroup = (TM: number, SGN: number, TV = 1): KernelTile => ({ variant: "workgroup", TM, SGN, TV });

/** Workgroups of 64 pixels x 64 channels, 128 x 32, 128 x 64, 32 x 32, 16 x 64 and 64 x 16. */
const [WIDE, NARROW, LARGE, SMALL, FLAT, THIN] = [
  workgroup(8, 16),
  workgroup(8, 8),
  workgroup(8, 8, 2),
  workgroup(4, 8),
  workgroup(4, 16),
  workgroup(4, 4),
] as const;

/** Rows of K that a workgroup takes a step. */
const BK = 8;

/** What a workgroup makes of its tile: threads along the pixels and the columns, and rows of K a step. */
export const workgroupShape = ({ TM, SGN }: KernelTile) => ({ PM: (16 * TM) / SGN, PN: SGN, BK });

/** The gather kernel keeps where a pixel begins in x in halves of a word. */
const MOST_PLACES = 2 ** 15;

/** The largest tile that leaves a GPU enough workgroups, no wider than the columns. */
function gatherRule(work: number, n4: number, caps: Capabilities): KernelTile {
  if (n4 <= 4) return THIN;
  const tile = n4 <= 8 ? NARROW : WIDE;
  const tiles = ceilDiv(work, tile.TM * workgroupShape(tile).PM) * ceilDiv(n4, tile.SGN);
  return tiles >= busyWorkgroups(caps) ? tile : SMALL;
}

/** Tiles of a gather over `work` pixels and `n4` columns of four channels, the rule's first. */
export function workgroups(g: Conv2dGeometry, work: number, n4: number, caps: Capabilities): KernelTile[] {
  const places = Math.max(g.inH + g.kernelH * g.dilationH, g.inW + g.kernelW * g.dilationW);
  if (places >= MOST_PLACES) return [];
  return [gatherRule(work, n4, caps), WIDE, NARROW, LARGE, SMALL, FLAT, THIN];
}

/** Tiles of a weight gradient, of 64 rows x 64 channels and of 32 x 32, the rule's first. */
export const gradientWorkgroups = (rows: number, n4: number): KernelTile[] =>
  n4 <= 8 || rows <= 32 ? [SMALL, WIDE] : [WIDE, SMALL];
