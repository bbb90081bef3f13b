export { convolutionalise, convolutionaliseState } from "./convolutionalise.js";
export {
  type ClassMap,
  channelwiseUpsampling,
  expandScore,
  type HeadSwap,
  remapScore,
  swapHead,
} from "./heads.js";
export { addMeanChannel, flipInputChannels } from "./inputChannels.js";
export type { HostState } from "./state.js";
export { type TransplantOptions, type TransplantReport, transplant } from "./transplant.js";
