/** Heads, which turn a backbone's features into scores of the image's size. Append one to a graph after a backbone. */
export { type DeepLabHeadOptions, deepLabHead } from "./deepLabHead.js";
export { fcnHead } from "./fcnHead.js";
export { featurePyramid, mapHierarchy, pyramidScores, semanticBranch } from "./fpn.js";
export { type LiteAsppOptions, liteAsppHead } from "./lraspp.js";
export { type Backbones, lateFusionHead, type Skip, type SkipHeadOptions, skipHead } from "./skip.js";
export { unetDecoder } from "./unet.js";
export type { UpsamplingOptions } from "./upsampling.js";
