import { VOID_LABEL } from "../../labels/sample.js";

/** The demo's classes: labels 0, 1 and 2. */
export const EARTH_CLASSES = ["water", "lowland", "mountain"] as const;
export const WATER = 0;
const LOWLAND = 1;
const MOUNTAIN = 2;

export interface EarthThresholds {
  /** Water mask values from here up are water. */
  readonly water: number;
  /** Water mask values up to here are land. Those in between are rivers and mixed pixels, which become void. */
  readonly land: number;
  /** Land with an elevation value above this is mountain. */
  readonly mountain: number;
}

const EARTH_THRESHOLDS: EarthThresholds = { water: 192, land: 64, mountain: 40 };

/** One label per pixel from a water mask (0 land to 255 water) and an elevation map (0 to 255) of the same size. */
export function earthLabels(
  water: Uint8Array,
  elevation: Uint8Array,
  thresholds: EarthThresholds = EARTH_THRESHOLDS,
): Uint8Array {
  return water.map((mask, i) => {
    if (mask >= thresholds.water) return WATER;
    if (mask > thresholds.land) return VOID_LABEL;
    return (elevation[i] as number) > thresholds.mountain ? MOUNTAIN : LOWLAND;
  });
}
