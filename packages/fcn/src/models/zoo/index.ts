import { ALEXNET_NETS } from "./alexnet.js";
import { BACKBONE_NETS } from "./backboneNets.js";
import { D2L_NETS } from "./d2l.js";
import type { Family } from "./entry.js";
import { TORCHVISION_NETS } from "./torchvision.js";
import { VGG_NETS } from "./vgg.js";

/** Every model that `create` knows. */
export const ZOO: Family = {
  ...VGG_NETS,
  ...ALEXNET_NETS,
  ...D2L_NETS,
  ...TORCHVISION_NETS,
  ...BACKBONE_NETS,
};
