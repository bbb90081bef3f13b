import { VOID_LABEL } from "../../labels/sample.js";

export interface BoundaryBandOptions {
  readonly height: number;
  readonly width: number;
  /** Largest Euclidean distance in pixels to the nearest pixel of the other side. */
  readonly radius: number;
  /** The side of the boundary that a class lies on. Void lies on neither. */
  readonly side: (label: number) => number;
}

/**
 * Returns the labels in a band (trimap) around a boundary, with everything else void: a pixel is kept if a pixel of
 * another side lies within `radius`. Scores on such a band show how well edges are found. Source: Kohli, Ladicky, Torr,
 * "Robust higher order potentials for enforcing label consistency", IJCV 2009, section 6.
 */
export function boundaryBand(labels: Uint8Array, options: BoundaryBandOptions): Uint8Array {
  const squares = boundarySquares(labels, options);
  return labels.map((label, i) => (squares[i]! <= options.radius ** 2 ? label : VOID_LABEL));
}

/**
 * For each pixel, the squared Euclidean distance in pixels to the nearest pixel of another side; Infinity for void, and
 * if there is none within `radius`.
 */
export function boundarySquares(labels: Uint8Array, options: BoundaryBandOptions): Float32Array {
  const { height, width, radius, side } = options;
  const sides = Int16Array.from(labels, (label) => (label === VOID_LABEL ? -1 : side(label)));
  const squares = new Float32Array(labels.length).fill(Number.POSITIVE_INFINITY);
  const disc = discOffsets(radius);
  // A pixel's nearest one of another side always borders on something else, since the step before it is not on that
  // side, so only such rims are visited.
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const own = sides[y * width + x]!;
      if (own < 0 || !isRim(sides, x, y, options)) continue;
      for (const [dx, dy] of disc) {
        const [nx, ny] = [x + dx, y + dy];
        if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
        const at = ny * width + nx;
        const other = sides[at]!;
        if (other >= 0 && other !== own) squares[at] = Math.min(squares[at]!, dx * dx + dy * dy);
      }
    }
  }
  return squares;
}

/** Whether any of the eight neighbours lies on another side or is void. */
function isRim(
  sides: Int16Array,
  x: number,
  y: number,
  { height, width }: { readonly height: number; readonly width: number },
): boolean {
  const own = sides[y * width + x];
  for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
    for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
      if (sides[ny * width + nx] !== own) return true;
    }
  }
  return false;
}

/**
 * Makes pixels void that have another label (other than void) within `radius` pixels (Euclidean), like the void line
 * that PASCAL VOC draws around every object.
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
