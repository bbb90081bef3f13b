import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";

/** Pixels [begin, end) along one axis. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** Rectangles that cover an image: every span of rows combined with every span of columns. */
export interface Tiling {
  readonly rows: readonly Span[];
  readonly columns: readonly Span[];
  /** Whether the image has further tiles, which do not reach into what is wanted of it. Default false. */
  readonly isPart?: boolean;
}

/**
 * Spans of `tile` pixels that cover `size`, each overlapping the one before by `overlap` pixels. All begin at multiples
 * of `stride`, so that a net's features lie where they do in the whole image. The last one is moved back so that it
 * ends at the border; if `size` is not a multiple of `stride`, it is up to `stride` - 1 pixels shorter. `tile` and
 * `overlap` must be multiples of `stride`.
 */
export function spansOf(size: number, tile: number, overlap: number, stride: number): Span[] {
  if (tile >= size) return [{ begin: 0, end: size }];
  const last = Math.ceil((size - tile) / stride) * stride;
  const spans: Span[] = [];
  for (let begin = 0; begin < last; begin += tile - overlap) spans.push({ begin, end: begin + tile });
  return [...spans, { begin: last, end: size }];
}

/** How many spans cover each pixel of [begin, end). */
export function coverage(spans: readonly Span[], begin: number, end: number): Float32Array {
  const counts = new Float32Array(end - begin);
  for (const span of spans) {
    counts.subarray(Math.max(0, span.begin - begin), Math.max(0, span.end - begin)).forEach((_, i, part) => {
      part[i]!++;
    });
  }
  return counts;
}

/** How an image is cut into tiles. */
export interface TileOptions {
  /** Sides of a tile, one number or [height, width], in multiples of the net's stride. */
  readonly tile?: number | readonly [number, number] | undefined;
  /**
   * Pixels shared by neighbouring tiles, rounded up to a multiple of the stride. Default: a quarter of the shorter
   * side.
   */
  readonly overlap?: number | undefined;
}

/** Sides of a tile and the pixels that neighbours share, in multiples of a net's stride. */
export interface Tile {
  readonly tile: readonly [height: number, width: number];
  readonly overlap: number;
}

/** The tile of given sides. Throws `invalid-argument` for impossible sides or overlaps. */
export function tileOf(tile: readonly [number, number], overlap: number | undefined, stride: number): Tile {
  const least = Math.min(...tile);
  const sides = tile.join("x");
  if (tile.some((side) => side < 1 || side % stride !== 0)) {
    const round = tile.map((side) => Math.max(1, Math.round(side / stride)) * stride);
    throw invalidArgument(
      `predict: the tile is ${sides} (height x width), the net's stride ${stride}`,
      `use ${round.join("x")}`,
    );
  }
  const wanted = overlap ?? Math.floor(least / 4 / stride) * stride;
  checkValue(`predict with tiles of ${sides}`, "overlap", wanted, rules.whole(0, least - stride));
  return { tile, overlap: Math.ceil(wanted / stride) * stride };
}

/** An image cut into such tiles. */
export const tilesOf = (
  [height, width]: readonly [number, number],
  { tile: [down, across], overlap }: Tile,
  stride: number,
): Tiling => ({
  rows: spansOf(height, down, overlap, stride),
  columns: spansOf(width, across, overlap, stride),
});

/** The smallest tile in strides, whatever the budget. */
const LEAST_STRIDES = 4;

/**
 * The largest multiple of `stride` as the side of a square tile whose `bytes` stay within `budget`. `bytes` takes the
 * tile's height and width, cut to the image.
 */
export function largestTile(
  [height, width]: readonly [number, number],
  stride: number,
  budget: number,
  bytes: (height: number, width: number) => number,
): number {
  let [fits, fails] = [LEAST_STRIDES, Math.ceil(Math.max(height, width) / stride)];
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    const side = middle * stride;
    if (bytes(Math.min(side, height), Math.min(side, width)) <= budget) fits = middle;
    else fails = middle;
  }
  return fits * stride;
}

export function wholeImage(height: number, width: number): Tiling {
  return { rows: [{ begin: 0, end: height }], columns: [{ begin: 0, end: width }] };
}
