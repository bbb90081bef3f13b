import type { Preprocessing } from "../samples/preprocessing.js";

/** Caffe's preprocessing: subtracts the mean, blue first, without division. */
export const caffe = (mean: readonly number[]): Preprocessing => ({
  channelOrder: "bgr",
  mean,
  std: mean.map(() => 1),
});

/** The mean that the published VOC nets subtract, blue first, on the scale 0 to 255. */
export const VOC_MEAN: Preprocessing = /* @__PURE__ */ caffe([104.00699, 116.66877, 122.67892]);
export const CONTEXT_MEAN: Preprocessing = /* @__PURE__ */ caffe([104.007, 116.669, 122.679]);
export const SIFT_FLOW_MEAN: Preprocessing = /* @__PURE__ */ caffe([114.578, 115.294, 108.353]);
/** ImageNet's mean and standard deviation, as in torchvision and d2l but on the scale 0 to 255. */
export const IMAGENET_MEAN: Preprocessing = {
  channelOrder: "rgb",
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};
/** Common preprocessings of colour images, by name. */
export const PREPROCESSINGS = {
  /** ImageNet's mean and standard deviation, as used by torchvision's nets. */
  imagenet: IMAGENET_MEAN,
  /** Blue first, with the mean subtracted, as used by the published Caffe nets. */
  caffe: VOC_MEAN,
  /** Scales to 0 to 1. */
  unit: { channelOrder: "rgb", mean: [0, 0, 0], std: [255, 255, 255] },
  /** Scales to -1 to 1, as used by most Keras nets. */
  symmetric: { channelOrder: "rgb", mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
} as const satisfies Readonly<Record<string, Preprocessing>>;

const NYUD_BGR = [116.19, 97.203, 92.318] as const;
const NYUD_HHA = [132.431, 94.076, 118.477] as const;
const NYUD_LOG_DEPTH = [7.844] as const;

/** The contents of an NYUDv2 image, in channel order. */
export type NyudInput = "color" | "hha" | "color-d" | "color-hha";

/** The means of NYUDv2. Colour is read blue first, whereas HHA keeps the order of its file, so its means do too. */
export const NYUD_MEANS: Readonly<Record<NyudInput, Preprocessing>> = {
  color: /* @__PURE__ */ caffe(NYUD_BGR),
  hha: { ...caffe(NYUD_HHA), channelOrder: "rgb" },
  "color-d": /* @__PURE__ */ caffe([...NYUD_BGR, ...NYUD_LOG_DEPTH]),
  "color-hha": /* @__PURE__ */ caffe([...NYUD_BGR, ...NYUD_HHA]),
};
