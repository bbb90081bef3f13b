import { cutImage, type Rectangle } from "../../data/samples/tiles.js";
import { enqueue } from "../enqueue.js";
import type { Inference } from "../inference.js";
import { type ScenePlan, tilesOfRegion } from "./plan.js";
import type { Windows } from "./windows.js";

/** The labels of a region of a scene. */
export interface RegionLabels {
  /** One class per pixel, row by row. */
  readonly labels: Uint8Array;
  /** How often nets ran. */
  readonly tiles: number;
}

/**
 * Predicts a region of a scene. All tiles that reach into it are computed whole, and their logits summed in the order
 * of the scene's tiles, so that the labels are those that `predict` gives these pixels of the whole image for the same
 * tile and overlap. Holds no more of the image than these tiles. While the device works on one region, another may be
 * read.
 */
export async function predictRegion(
  inference: Inference,
  windows: Windows,
  plan: ScenePlan,
  region: Rectangle,
): Promise<RegionLabels> {
  const { tiling, seen } = tilesOfRegion(plan, region);
  const image = await windows.read(seen);
  const { done } = await enqueue({ ...inference, tiling: () => tiling }, [image]);
  const [{ labels: all, tiles }] = (await done) as [Awaited<typeof done>[number]];
  const place = { ...region, top: region.top - seen.top, left: region.left - seen.left };
  const { data } = cutImage({ data: all, height: seen.height, width: seen.width, channels: 1 }, place);
  return { labels: data as Uint8Array, tiles };
}
