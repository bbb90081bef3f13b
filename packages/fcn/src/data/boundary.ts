import { VOID_LABEL } from "./sample.js";

export interface BoundaryBandOptions {
  readonly height: number;
  readonly width: number;
  /** Pixels (Euclidean) to the nearest pixel of the other side. */
  readonly radius: number;
  /** Which side of the boundary a class lies on. Void lies on neither. */
  readonly side: (label: number) => number;
}

/**
 * Labels with everything void except a band along one boundary: a pixel stays when a pixel of the other side lies within
 * `radius`. Scoring on such a band (a trimap) shows how well edges are found.
 * Kohli, Ladicky, Torr, "Robust higher order potentials for enforcing label consistency", IJCV 2009, section 6.
 */
export function boundaryBand(labels: Uint8Array, options: BoundaryBandOptions): Uint8Array {
  const { height, width, radius, side } = options;
  const sides = Int16Array.from(labels, (label) => (label === VOID_LABEL ? -1 : side(label)));
  const disc = discOffsets(radius);
  const touchesOther = (x: number, y: number, own: number): boolean =>
    disc.some(([dx, dy]) => {
      const nx = x + dx;
      const ny = y + dy;
      if (nx < 0 || ny < 0 || nx >= width || ny >= height) return false;
      const other = sides[ny * width + nx] as number;
      return other >= 0 && other !== own;
    });
  return labels.map((label, i) => {
    const own = sides[i] as number;
    return own >= 0 && touchesOther(i % width, Math.floor(i / width), own) ? label : VOID_LABEL;
  });
}

/**
 * Labels with void wherever another label (void aside) lies within `radius` pixels (Euclidean), as PASCAL VOC draws a void line around
 * every object.
 */
export function voidEdges(
  labels: Uint8Array,
  { height, width, radius }: { readonly height: number; readonly width: number; readonly radius: number },
): Uint8Array {
  const disc = discOffsets(radius);
  return labels.map((label, i) => {
    if (label === VOID_LABEL) return label;
    const isEdge = disc.some(([dx, dy]) => {
      const x = (i % width) + dx;
      const y = Math.floor(i / width) + dy;
      if (x < 0 || y < 0 || x >= width || y >= height) return false;
      const other = labels[y * width + x];
      return other !== label && other !== VOID_LABEL;
    });
    return isEdge ? VOID_LABEL : label;
  });
}

function discOffsets(radius: number): (readonly [number, number])[] {
  const reach = Math.floor(radius);
  const offsets: [number, number][] = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      if ((dx !== 0 || dy !== 0) && dx * dx + dy * dy <= radius * radius) offsets.push([dx, dy]);
    }
  }
  return offsets.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
}
