/** What turns features into scores of the size of the image, to be appended to a graph behind a backbone. */
export { fcnHead } from "./fcnHead.js";
export { featurePyramid, pyramidScores, semanticBranch } from "./fpn.js";
export { lateFusionHead, type Skip, type SkipHeadOptions, skipHead, type Trunks } from "./skip.js";
export { unetDecoder } from "./unet.js";
export type { UpsamplingOptions } from "./upsampling.js";
