import { VOC_MEAN } from "../../data/published/means.js";
import { caffeNetBackbone } from "../backbones/alexnet.js";
import { buildFcn } from "../heads/fcn.js";
import type { Family } from "./entry.js";

/** FCN-AlexNet of the paper, on CaffeNet: padding 100, upsampling 63/32, and Caffe's layer names. */
export const ALEXNET_NETS: Family = {
  "fcn32s-alexnet": {
    summary: "FCN-32s on CaffeNet",
    keys: "Caffe",
    backbone: "alexnet",
    preprocessing: VOC_MEAN,
    defaults: { widthMultiplier: 1, padding: 100, dropout: 0.5, deconv: "fixed", dense: false },
    graph: (options, name) =>
      buildFcn((builder, input) => caffeNetBackbone(builder, input, { ...options, ceilMode: true }), {
        ...options,
        padding: "none",
        name,
        outputStride: 32,
      }),
  },
};
