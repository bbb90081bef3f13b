import { type Capabilities, ceilDiv } from "../plan.js";
import { candidatesOf, choose, type KernelTile, magnitude, register, type Tunable, type Variant } from "../tuning.js";
import { variantsOf } from "../variants.js";
import { type Conv2dGeometry, type Direction, geometryKey } from "./geometry.js";

/**
 * Pixels or rows that a team owns: with fewer than 8 weights load too often. With more than 32 compilers stop
 * unrolling. GPUs, whose subgroups are wide, put what is more than 16 into memory or have registers for a single wave
 * (`npm run bench -- static`); the software adapter, whose subgroups have 8 lanes, is fastest with 32.
 */
const [FEWEST, MOST] = [8, 32];
const mostFor = (lanes: number): number => (lanes > 8 ? 16 : MOST);
const HEIGHTS = [8, 16, 32];
/** The first is the one that the rules choose where there are no subgroups. */
const REGISTERS = [8, 4, 16].map(register);

const workgroup = (TM: number, SGN: number, TV = 1): KernelTile => ({ variant: "workgroup", TM, SGN, TV });
/** Workgroups of 64 pixels x 64 channels, 128 x 32, 128 x 64, 32 x 32, 16 x 64, 64 x 16. */
const WORKGROUPS = [
  workgroup(8, 16),
  workgroup(8, 8),
  workgroup(8, 8, 2),
  workgroup(4, 8),
  workgroup(4, 16),
  workgroup(4, 4),
];

/** What a workgroup makes of its tile: threads along the pixels and the columns, and rows of K a step. */
export function workgroupShape({ TM, SGN, TV }: Pick<KernelTile, "TM" | "SGN" | "TV">) {
  const threads = 16 * TM;
  const [PM, PN] = [threads / SGN, SGN];
  // Each thread brings at least one vec4 of each operand a step.
  const BK = Math.min(TM * PM, 4 * TV * PN) * 2 >= threads ? 8 : 16;
  return { PM, PN, BK };
}

/** Workgroups of the workgroup variant, which have 64 or 128 threads and share much, that keep a device busy. */
export const busyWorkgroups = (caps: Capabilities): number => ceilDiv(caps.parallelism, 4);

/** The largest tile that leaves a GPU enough workgroups, no wider than the columns. */
function workgroupRule(work: number, n4: number, caps: Capabilities): KernelTile {
  if (n4 <= 4) return workgroup(4, 4);
  const wide = workgroup(8, n4 <= 8 ? 8 : 16);
  const tiles = ceilDiv(work, wide.TM * workgroupShape(wide).PM) * ceilDiv(n4, wide.SGN);
  return tiles >= busyWorkgroups(caps) ? wide : workgroup(4, 8);
}

/** Lanes of a team: the smallest power of two that covers `n4` columns of four channels, at most the subgroup. */
function teamFor(n4: number, lanes: number): number {
  let team = 1;
  while (team < n4 && team < lanes) team *= 2;
  return team;
}

/** The tiles of the variants that a plan may take. */
const offered = (caps: Capabilities, tiles: Readonly<Record<Variant, readonly KernelTile[]>>): KernelTile[] =>
  variantsOf(caps).flatMap((variant) => tiles[variant]);

const subgroup = (SGN: number, TM: number, TV = 1): KernelTile => ({ variant: "subgroup", TM, SGN, TV });

/** Teams of the full width and of half of it. */
const teamsFor = (n4: number, lanes: number): number[] => {
  const full = teamFor(n4, lanes);
  return lanes === 0 ? [] : full === 1 ? [1] : [full, full / 2];
};

/** Four loads by each lane for every weight, unless that leaves too few workgroups for the device. */
function gatherRule(work: number, n4: number, caps: Capabilities): KernelTile {
  const lanes = caps.subgroupSize;
  const [variant] = variantsOf(caps);
  if (variant === "workgroup") return workgroupRule(work, n4, caps);
  if (variant === "register") return REGISTERS[0] as KernelTile;
  const SGN = teamFor(n4, lanes);
  const columns = ceilDiv(n4, SGN);
  let TM = Math.min(mostFor(lanes), Math.max(FEWEST, 4 * SGN));
  while (TM > FEWEST && ceilDiv(work, (TM * lanes) / SGN) * columns < caps.parallelism) TM /= 2;
  return subgroup(SGN, TM);
}

/** Tile of a gather over `work` pixels (of all phases and groups) and `n4` columns of four channels. */
export function gatherTile(
  g: Conv2dGeometry,
  direction: Direction,
  n4: number,
  work: number,
  caps: Capabilities,
): Tunable {
  const teams = teamsFor(n4, caps.subgroupSize).flatMap((SGN) =>
    [1, 2].filter((TV) => TV === 1 || n4 > SGN).map((TV) => [SGN, TV] as const),
  );
  const tiles = teams.flatMap(([SGN, TV]) =>
    HEIGHTS.filter((TM) => TM * TV <= MOST).map((TM) => subgroup(SGN, TM, TV)),
  );
  const candidates = candidatesOf(
    gatherRule(work, n4, caps),
    offered(caps, { subgroup: tiles, workgroup: WORKGROUPS, register: REGISTERS }),
  );
  return choose(`conv2d ${direction} ${geometryKey(g)} pixels ${magnitude(work)}`, candidates, caps.tuning);
}

/** Workgroups of 64 rows x 64 channels, and of 32 x 32. */
const GRADIENT_WORKGROUPS = [workgroup(8, 16), workgroup(4, 8)];

function weightGradientRule(rows: number, n4: number, caps: Capabilities): KernelTile {
  const lanes = caps.subgroupSize;
  const [variant] = variantsOf(caps);
  if (variant === "workgroup") return GRADIENT_WORKGROUPS[n4 <= 8 || rows <= 32 ? 1 : 0] as KernelTile;
  if (variant === "register") return REGISTERS[0] as KernelTile;
  const SGN = teamFor(n4, lanes);
  let TM = SGN >= 4 ? mostFor(lanes) : FEWEST;
  while (TM > FEWEST && (TM / 2) * (lanes / SGN) >= rows) TM /= 2;
  return subgroup(SGN, TM);
}

/** Tile of a weight gradient of `rows` rows of K and `n4` columns of four channels. */
export function weightGradientTile(g: Conv2dGeometry, rows: number, n4: number, caps: Capabilities): Tunable {
  const lanes = caps.subgroupSize;
  const tiles = teamsFor(n4, lanes).flatMap((SGN) => HEIGHTS.map((TM) => subgroup(SGN, TM)));
  const candidates = candidatesOf(
    weightGradientRule(rows, n4, caps),
    offered(caps, { subgroup: tiles, workgroup: GRADIENT_WORKGROUPS, register: REGISTERS }),
  );
  const key = `conv2d weight gradient ${geometryKey(g)} pixels ${magnitude(g.n * g.outH * g.outW)}`;
  return choose(key, candidates, caps.tuning);
}

/** Tile of a depthwise convolution: the outputs of a row that a thread owns. */
export function depthwiseTile(g: Conv2dGeometry, direction: Direction, caps: Capabilities): Tunable {
  const key = `depthwise ${direction} ${geometryKey(g)} pixels ${magnitude(g.n * g.outH * g.outW)}`;
  return choose(key, REGISTERS, caps.tuning);
}
