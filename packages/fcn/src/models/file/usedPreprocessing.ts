import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { SegmentationNet } from "../segmentationNet.js";

const USED = new WeakMap<SegmentationNet, Preprocessing>();

/** Remembers how the images became numbers that a net was trained on last. */
export const rememberPreprocessing = (model: SegmentationNet, preprocessing: Preprocessing): void => {
  USED.set(model, preprocessing);
};

/** That of the last training of the net in this process. */
export const usedPreprocessing = (model: SegmentationNet): Preprocessing | undefined => USED.get(model);
