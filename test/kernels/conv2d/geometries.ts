import type { Conv2dGeometry } from "@fcn/kernels";

export const g: Conv2dGeometry = {
  ...{ n: 2, inC: 8, inH: 9, inW: 7, outC: 12, outH: 5, outW: 7 },
  ...{ kernelH: 3, kernelW: 2, strideH: 2, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 2, groups: 1 },
};

/** One channel a group. */
export const depthwise = { ...g, outC: 8, groups: 8 };
