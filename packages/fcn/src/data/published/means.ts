import type { Preprocessing } from "../samples/preprocessing.js";

/** Caffe's: minus the mean, blue first, no division. */
export const caffe = (mean: readonly number[]): Preprocessing => ({
  channelOrder: "bgr",
  mean,
  std: mean.map(() => 1),
});

/** Means that the published nets subtract, blue first, with no division. */
export const VOC_MEAN: Preprocessing = /* @__PURE__ */ caffe([104.00699, 116.66877, 122.67892]);
export const CONTEXT_MEAN: Preprocessing = /* @__PURE__ */ caffe([104.007, 116.669, 122.679]);
export const SIFT_FLOW_MEAN: Preprocessing = /* @__PURE__ */ caffe([114.578, 115.294, 108.353]);
/** Divides by 255 first: torchvision's and d2l's values on the scale 0 to 255. */
export const IMAGENET_MEAN: Preprocessing = {
  channelOrder: "rgb",
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};
/** Preprocessings of colour images by name. */
export const PREPROCESSINGS = {
  /** ImageNet's mean and standard deviation, as torchvision's nets were trained. */
  imagenet: IMAGENET_MEAN,
  /** Blue first, means subtracted: the published Caffe nets. */
  caffe: VOC_MEAN,
  /** 0 to 1. */
  unit: { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] },
  /** -1 to 1: most nets of Keras. */
  symmetric: { channelOrder: "rgb", mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
} as const satisfies Readonly<Record<string, Preprocessing>>;

const NYUD_BGR = [116.19, 97.203, 92.318] as const;
const NYUD_HHA = [132.431, 94.076, 118.477] as const;
const NYUD_LOG_DEPTH = [7.844] as const;

/** What an image of NYUDv2 is made of; the order is that of the channels. */
export type NyudInput = "color" | "hha" | "color-d" | "color-hha";

/**
 * Means of NYUDv2. Colour is read blue first; HHA keeps the order of its file, so its means are given in that order.
 */
export const NYUD_MEANS: Readonly<Record<NyudInput, Preprocessing>> = {
  color: /* @__PURE__ */ caffe(NYUD_BGR),
  hha: { ...caffe(NYUD_HHA), channelOrder: "rgb" },
  "color-d": /* @__PURE__ */ caffe([...NYUD_BGR, ...NYUD_LOG_DEPTH]),
  "color-hha": /* @__PURE__ */ caffe([...NYUD_BGR, ...NYUD_HHA]),
};
