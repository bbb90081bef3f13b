import { type Capabilities, ceilDiv } from "../plan.js";
import { choose, type KernelTile, magnitude, register, type Tunable } from "../tuning.js";
import { candidatesOf } from "../variants.js";
import { type Conv2dGeometry, type Direction, geometryKey } from "./geometry.js";
import { sidesOf } from "./sides.js";
import { winogradTiles } from "./winograd-tiles.js";
import { gradientWorkgroups, workgroups } from "./workgroups.js";

/**
 * Pixels or rows that a team owns: with fewer than 8 weights load too often. With more than 32, columns counted,
 * compilers stop unrolling.
 */
const [FEWEST, MOST] = [8, 32];
const mostOf = ({ tallest = 16 }: Capabilities): number => tallest;
const heightsOf = (caps: Capabilities): number[] => [8, 16, 32].filter((TM) => TM <= mostOf(caps));
/** The first is the one that the rules choose. */
const REGISTERS = [8, 4, 16].map(register);

/** Lanes of a team: the smallest power of two that covers `n4` columns of four channels, at most the subgroup. */
function teamFor(n4: number, lanes: number): number {
  let team = 1;
  while (team < n4 && team < lanes) team *= 2;
  return team;
}

const subgroup = (SGN: number, TM: number, TV = 1): KernelTile => ({ variant: "subgroup", TM, SGN, TV });

/** Teams of the full width and of half of it. */
const teamsFor = (n4: number, lanes: number): number[] => {
  const full = teamFor(n4, lanes);
  return full === 1 ? [1] : [full, full / 2];
};

/** Four loads by each lane for every weight, unless that leaves too few workgroups for the device. */
function gatherRule(work: number, n4: number, caps: Capabilities): KernelTile {
  const { subgroupSize: lanes, parallelism } = caps;
  const SGN = teamFor(n4, lanes);
  const columns = ceilDiv(n4, SGN);
  let TM = Math.min(mostOf(caps), Math.max(FEWEST, 4 * SGN));
  while (TM > FEWEST && ceilDiv(work, (TM * lanes) / SGN) * columns < parallelism) TM /= 2;
  return subgroup(SGN, TM);
}

/** Tiles of a gather that share loads within a subgroup, the rule's first. */
function gatherSubgroups(work: number, n4: number, caps: Capabilities): KernelTile[] {
  const teams = teamsFor(n4, caps.subgroupSize).flatMap((SGN) =>
    [1, 2].filter((TV) => TV === 1 || n4 > SGN).map((TV) => [SGN, TV] as const),
  );
  const tiles = teams.flatMap(([SGN, TV]) =>
    heightsOf(caps)
      .filter((TM) => TM * TV <= MOST)
      .map((TM) => subgroup(SGN, TM, TV)),
  );
  return [gatherRule(work, n4, caps), ...tiles];
}

/** Tile of a gather: for its pixels of all phases and groups, and columns of four channels. */
export function gatherTile(g: Conv2dGeometry, direction: Direction, caps: Capabilities): Tunable {
  const { gridH, gridW, phases, cout } = sidesOf(g, direction);
  const [work, n4] = [g.n * gridH * gridW * phases * g.groups, ceilDiv(cout, 4)];
  const candidates = candidatesOf(caps, {
    winograd: () => winogradTiles(g, false, caps),
    subgroup: () => gatherSubgroups(work, n4, caps),
    workgroup: () => workgroups(g, work, n4, caps),
    register: () => REGISTERS,
  });
  return choose(`conv2d ${direction} ${geometryKey(g)} pixels ${magnitude(work)}`, candidates, caps.tuning);
}

function weightGradientRule(rows: number, n4: number, caps: Capabilities): KernelTile {
  const { subgroupSize: lanes } = caps;
  const SGN = teamFor(n4, lanes);
  let TM = SGN >= 4 ? mostOf(caps) : FEWEST;
  while (TM > FEWEST && (TM / 2) * (lanes / SGN) >= rows) TM /= 2;
  return subgroup(SGN, TM);
}

/** Tile of a weight gradient: for the rows of K of a group, and columns of four channels. */
export function weightGradientTile(g: Conv2dGeometry, caps: Capabilities): Tunable {
  const rows = (g.kernelH * g.kernelW * g.inC) / g.groups;
  const n4 = ceilDiv(g.outC / g.groups, 4);
  const lanes = caps.subgroupSize;
  const candidates = candidatesOf(caps, {
    winograd: () => winogradTiles(g, true, caps),
    subgroup: () => [
      weightGradientRule(rows, n4, caps),
      ...teamsFor(n4, lanes).flatMap((SGN) => heightsOf(caps).map((TM) => subgroup(SGN, TM))),
    ],
    workgroup: () => gradientWorkgroups(rows, n4),
    register: () => REGISTERS,
  });
  const key = `conv2d weight gradient ${geometryKey(g)} pixels ${magnitude(g.n * g.outH * g.outW)}`;
  return choose(key, candidates, caps.tuning);
}

/** Each output has a strip of input beside it in registers: with more than 4, GCN runs fewer than four waves. */
const STRIPS = [4, 8, 2].map(register);

/** Tile of a depthwise convolution: the outputs of a row that a thread owns. */
export function depthwiseTile(g: Conv2dGeometry, direction: Direction, caps: Capabilities): Tunable {
  const key = `depthwise ${direction} ${geometryKey(g)} pixels ${magnitude(g.n * g.outH * g.outW)}`;
  return choose(key, STRIPS, caps.tuning);
}
