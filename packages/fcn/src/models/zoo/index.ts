import { ALEXNET_NETS } from "./alexnet.js";
import { BACKBONE_NETS } from "./backboneNets.js";
import { D2L_NETS } from "./d2l.js";
import { DEEPLAB_NETS } from "./deeplab.js";
import type { Family } from "./entry.js";
import { LRASPP_NETS } from "./lraspp.js";
import { PYRAMID_NETS } from "./pyramids.js";
import { TORCHVISION_NETS } from "./torchvision.js";
import { UNET } from "./unet.js";
import { VGG_NETS } from "./vgg.js";
import { VGG_VARIANTS } from "./vggVariants.js";

/** Every model that `create` knows. */
export const ZOO: Family = {
  ...VGG_NETS,
  ...VGG_VARIANTS,
  ...ALEXNET_NETS,
  ...D2L_NETS,
  ...TORCHVISION_NETS,
  ...DEEPLAB_NETS,
  ...LRASPP_NETS,
  ...BACKBONE_NETS,
  ...PYRAMID_NETS,
  ...UNET,
};
