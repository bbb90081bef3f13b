import { cutAtJoints, joinArcs } from "./arcs.js";
import { CORNER, type Outlines, traceOutlines } from "./outlines.js";
import { Places } from "./places.js";
import { findRegions, type LabelMap } from "./regions.js";
import { simplifyArcs } from "./simplify.js";

/** A place in pixels. The first pixel spans 0 to 1 in x (right) and y (down). */
export type Position = readonly [x: number, y: number];

/** A closed line, whose last position equals the first. */
export type Ring = readonly Position[];

/** A connected region of one label. */
export interface LabelPolygon {
  readonly label: number;
  /** In pixels. */
  readonly area: number;
  /** The outline, then the holes. */
  readonly rings: readonly Ring[];
}

/** Options of {@link tracePolygons}. */
export interface PolygonOptions {
  /**
   * Pixels by which outlines may move (Douglas and Peucker 1973). Places where three regions meet stay, and neighbours
   * keep their common line. Lines move less where they would otherwise meet or pass others, so polygons cover every
   * place exactly once at any tolerance. Default 0: exactly along the edges of the pixels.
   */
  readonly tolerance?: number;
}

/**
 * The regions of a label map as polygons, in row order. Pixels that share an edge are connected. Outlines have their
 * region on the right: in x and y as plain numbers, an outline turns counterclockwise and a hole clockwise, as in RFC
 * 7946. Rings neither cross nor touch themselves; a hole may touch the outline at single places. Throws a TensorError
 * unless the map has height x width labels.
 */
export function tracePolygons(map: LabelMap, options: PolygonOptions = {}): LabelPolygon[] {
  return [...eachPolygon(map, options)];
}

/**
 * Like {@link tracePolygons}, but makes each polygon on demand, because all polygons of a noisy map together take far
 * more memory than the map.
 */
export function* eachPolygon(map: LabelMap, { tolerance = 0 }: PolygonOptions = {}): Generator<LabelPolygon> {
  const { labels, areas, ids } = findRegions(map);
  const outlines = traceOutlines(ids, map);
  const placesOf = tolerance === 0 ? exactRings(outlines) : simplifiedRings(outlines, tolerance);
  const rings = groupByOwner(outlines.owners, labels.length);
  for (const [region, label] of labels.entries()) {
    yield { label, area: areas[region]!, rings: Array.from(rings(region), (ring) => toRing(placesOf(ring))) };
  }
}

/** The places at which a ring turns. Valid until those of the next ring are requested. */
type PlacesOf = (ring: number) => Places;

function exactRings({ vertices, kinds, starts }: Outlines): PlacesOf {
  const corners = new Places();
  return (ring) => {
    corners.clear();
    for (let i = starts[ring]!; i < starts[ring + 1]!; i++) {
      if (kinds[i]! & CORNER) corners.push(vertices.xs.at(i), vertices.ys.at(i));
    }
    return corners;
  };
}

function simplifiedRings(outlines: Outlines, tolerance: number): PlacesOf {
  const arcs = cutAtJoints(outlines);
  const keep = simplifyArcs(arcs, tolerance);
  const [places, turns] = [new Places(), new Places()];
  return (ring) => {
    joinArcs(arcs, ring, keep, places);
    copyTurns(places, turns);
    return turns;
  };
}

/** Copies the places of a ring except those where it goes straight on. */
function copyTurns({ xs, ys, length }: Places, turns: Places): void {
  turns.clear();
  for (let i = 0; i < length; i++) {
    const [before, after] = [i === 0 ? length - 1 : i - 1, i === length - 1 ? 0 : i + 1];
    const [x, y] = [xs.at(i), ys.at(i)];
    if ((x - xs.at(before)) * (ys.at(after) - y) !== (y - ys.at(before)) * (xs.at(after) - x)) turns.push(x, y);
  }
}

function toRing({ xs, ys, length }: Places): Ring {
  const ring = new Array<Position>(length + 1);
  for (let i = 0; i < length; i++) ring[i] = [xs.at(i), ys.at(i)];
  ring[length] = ring[0]!;
  return ring;
}

/** The rings of each region, in order. */
function groupByOwner(owners: Int32Array, regions: number): (region: number) => Int32Array {
  const ends = new Int32Array(regions + 1);
  for (const owner of owners) ends[owner + 1]!++;
  for (let region = 0; region < regions; region++) ends[region + 1]! += ends[region]!;
  const rings = new Int32Array(owners.length);
  // Each entry moves from the start of its region to the end.
  for (const [ring, owner] of owners.entries()) rings[ends[owner]!++] = ring;
  return (region) => rings.subarray(region === 0 ? 0 : ends[region - 1], ends[region]);
}
