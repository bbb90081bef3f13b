import { cutSample, type Rectangle, tilePositions } from "../../data/samples/tiles.js";
import { type RasterImage, type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { WATER } from "./labels.js";

/** A band of longitudes in degrees; west is negative. */
export interface LongitudeBand {
  readonly west: number;
  readonly east: number;
}

export interface EarthSplitOptions {
  /** Tile side in pixels. */
  readonly tile: number;
  /**
   * Pixels between the starts of training tiles, which overlap if it is below `tile`. Validation tiles never overlap.
   */
  readonly trainStride: number;
  /** Both validation bands contain water, lowland and mountain; other bands lack a class. */
  readonly validation: readonly LongitudeBand[];
  /** Pixels kept free between any training tile and any validation tile. */
  readonly gap: number;
  /** Rows poleward of this latitude are left out, because a plate-carrée map is distorted there. */
  readonly maxLatitude: number;
  /** A tile is kept if at least this share of its pixels has a class ... */
  readonly minKnown: number;
  /** ... and at least this share of those is land. */
  readonly minLand: number;
}

export const EARTH_SPLIT: EarthSplitOptions = {
  tile: 128,
  trainStride: 64,
  validation: [
    { west: -90, east: -45 },
    { west: 45, east: 90 },
  ],
  gap: 16,
  maxLatitude: 75,
  minKnown: 0.5,
  minLand: 0.05,
};

export interface EarthTiles {
  readonly train: readonly Rectangle[];
  readonly validation: readonly Rectangle[];
}

/** Positions of training and validation tiles on a world map of `width` x `height` pixels. The two sets never touch. */
export function earthTilePositions(width: number, height: number, options: EarthSplitOptions): EarthTiles {
  const { tile, trainStride, gap, maxLatitude } = options;
  const top = Math.ceil(((90 - maxLatitude) / 180) * height);
  const rows = { top, height: height - 2 * top };
  const column = (degrees: number): number => ((degrees + 180) / 360) * width;
  const area = (west: number, east: number): Rectangle => {
    const left = Math.ceil(west);
    return { ...rows, left, width: Math.floor(east) - left };
  };
  const bands = [...options.validation].sort((a, b) => a.west - b.west);
  const validation = bands.map((band) => area(column(band.west), column(band.east)));
  const edges = [-Infinity, ...bands.flatMap((b) => [column(b.west) - gap, column(b.east) + gap]), Infinity];
  const train: Rectangle[] = [];
  for (let i = 0; i < edges.length; i += 2) {
    train.push(area(Math.max(0, edges[i] as number), Math.min(width, edges[i + 1] as number)));
  }
  return {
    train: train.flatMap((a) => tilePositions(a, tile, trainStride)),
    validation: validation.flatMap((a) => tilePositions(a, tile, tile)),
  };
}

/**
 * Whether enough of a tile is known and enough of that is land. Open sea and unlabelled tiles teach and measure little.
 */
export function isWorthKeeping(labels: Uint8Array, options: EarthSplitOptions): boolean {
  let known = 0;
  let land = 0;
  for (const label of labels) {
    if (label === VOID_LABEL) continue;
    known++;
    if (label !== WATER) land++;
  }
  return known > 0 && known >= options.minKnown * labels.length && land >= options.minLand * known;
}

export interface EarthSamples {
  readonly train: SegmentationSample[];
  readonly validation: SegmentationSample[];
}

/** Cuts the world map into training and validation samples. */
export function splitEarth(
  image: RasterImage,
  labels: Uint8Array,
  options: EarthSplitOptions = EARTH_SPLIT,
): EarthSamples {
  const positions = earthTilePositions(image.width, image.height, options);
  const cut = (tiles: readonly Rectangle[]): SegmentationSample[] =>
    tiles
      .map((tile) => cutSample(tileName(tile, image), image, labels, tile))
      .filter((sample) => isWorthKeeping(sample.labels, options));
  return { train: cut(positions.train), validation: cut(positions.validation) };
}

/** Names a tile by its centre, such as "23S 48W". */
function tileName(tile: Rectangle, image: RasterImage): string {
  const latitude = 90 - ((tile.top + tile.height / 2) / image.height) * 180;
  const longitude = ((tile.left + tile.width / 2) / image.width) * 360 - 180;
  const degrees = (value: number, positive: string, negative: string): string =>
    `${Math.round(Math.abs(value))}${value < 0 ? negative : positive}`;
  return `${degrees(latitude, "N", "S")} ${degrees(longitude, "E", "W")}`;
}
