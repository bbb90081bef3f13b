import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { SegmentationNet } from "../segmentationNet.js";

const USED = new WeakMap<SegmentationNet, Preprocessing>();

/** Remembers the preprocessing with which a net was last trained. */
export const rememberPreprocessing = (model: SegmentationNet, preprocessing: Preprocessing): void => {
  USED.set(model, preprocessing);
};

/** The preprocessing of the net's last training in this process, if any. */
export const usedPreprocessing = (model: SegmentationNet): Preprocessing | undefined => USED.get(model);
