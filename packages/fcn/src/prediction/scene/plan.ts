import type { Rectangle } from "../../data/samples/tiles.js";
import type { Inference } from "../inference.js";
import { type Span, type Tile, type TileOptions, type Tiling, tileOf, tilesOf } from "../tiling.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * How a scene, an image that is too large to be held, is predicted: in which tiles, and in regions of how many pixels.
 * Plain data, which is decided once, so that all who predict a region of the scene give it the same labels.
 */
export interface ScenePlan extends Size, Tile {
  /** Tiles begin at multiples of this. */
  readonly stride: number;
  /** About how many pixels a region has. */
  readonly pixels: number;
}

/** About how many pixels are predicted together, unless said otherwise. */
const REGION_PIXELS = 8192 ** 2;

/**
 * Tiles along the side of a region, at least, unless the tile is given. Those that reach into two regions are computed
 * for both: with the usual overlap about a fifth more than without regions.
 */
const TILES = 8;

/** Plans the prediction of a scene: in tiles as given, or as large as a region and the device's memory allow. */
export function planScene(
  { stride, tileFor }: Pick<Inference, "stride" | "tileFor">,
  { height, width }: Size,
  { tile: given, overlap, pixels = REGION_PIXELS }: TileOptions & { readonly pixels?: number } = {},
): ScenePlan {
  const plan = (tile: readonly [number, number]): ScenePlan => ({
    ...{ height, width, stride, pixels },
    ...tileOf(tile, overlap, stride),
  });
  if (given !== undefined) return plan(typeof given === "number" ? [given, given] : given);
  const [down, across] = regionSides({ height, width }, pixels);
  const [tall, wide] = tileFor(1, down, across)?.tile ?? [down, across];
  const side = (wanted: number, region: number, scene: number): number => {
    const most = region === scene ? scene : region / TILES;
    return Math.max(1, Math.ceil(Math.min(wanted, most) / stride)) * stride;
  };
  return plan([side(tall, down, height), side(wide, across, width)]);
}

/** The tiles of a scene. */
const tilingOf = ({ height, width, stride, ...tile }: ScenePlan): Tiling => tilesOf([height, width], tile, stride);

/** Sides of a region: of a square, or as long as the scene has room for. */
function regionSides({ height, width }: Size, pixels: number): readonly [number, number] {
  const least = Math.max(1, Math.floor(Math.sqrt(pixels)));
  const across = Math.min(width, Math.max(least, Math.floor(pixels / height)));
  return [Math.min(height, Math.max(1, Math.floor(pixels / across))), across];
}

/** The regions of a scene, row by row. They meet where a tile begins, and the regions of a row are equally high. */
export function regionsOf(plan: ScenePlan): Rectangle[] {
  const tiling = tilingOf(plan);
  const [down, across] = regionSides(plan, plan.pixels);
  const columns = grouped(tiling.columns, across);
  return grouped(tiling.rows, down).flatMap(({ begin: top, end: bottom }) => {
    return columns.map(({ begin: left, end }) => ({ top, left, height: bottom - top, width: end - left }));
  });
}

/** Cuts an axis into parts of about `side` pixels, each of which begins with a span. */
function grouped(spans: readonly Span[], side: number): Span[] {
  const { end } = spans.at(-1) as Span;
  const count = Math.min(spans.length, Math.max(1, Math.round(end / side)));
  const begins = Array.from({ length: count }, (_, i) => (spans[Math.round((i * spans.length) / count)] as Span).begin);
  return begins.map((begin, i) => ({ begin, end: begins[i + 1] ?? end }));
}

/** The tiles that reach into a region, and the rectangle that they cover, from which their places are counted. */
export function tilesOfRegion(
  plan: ScenePlan,
  region: Rectangle,
): { readonly tiling: Tiling; readonly seen: Rectangle } {
  const whole = tilingOf(plan);
  const rows = reaching(whole.rows, region.top, region.height);
  const columns = reaching(whole.columns, region.left, region.width);
  const seen = {
    top: rows.begin,
    left: columns.begin,
    height: rows.end - rows.begin,
    width: columns.end - columns.begin,
  };
  const isPart = rows.spans.length < whole.rows.length || columns.spans.length < whole.columns.length;
  return { tiling: { rows: rows.spans, columns: columns.spans, isPart }, seen };
}

function reaching(spans: readonly Span[], from: number, length: number) {
  const found = spans.filter(({ begin, end }) => begin < from + length && end > from);
  const [{ begin }, { end }] = [found[0] as Span, found.at(-1) as Span];
  return { begin, end, spans: found.map((span) => ({ begin: span.begin - begin, end: span.end - begin })) };
}
