import { deepLabHead } from "../heads/deepLabHead.js";
import type { Family } from "./entry.js";
import { DILATED, torchvisionNet } from "./torchvision.js";

/** torchvision.models.segmentation.deeplabv3_resnet50, 101 and deeplabv3_mobilenet_v3_large. */
export const DEEPLAB_NETS: Family = Object.fromEntries(
  Object.entries(DILATED).map(([name, backbone]) => [
    `deeplabv3_${name}`,
    torchvisionNet("DeepLabV3", backbone, deepLabHead),
  ]),
);
