/** Backbones of published classifiers, to append to a graph. Their layers have the names of the published ports. */
export { type AlexNetSpec, alexNetBackbone, caffeNetBackbone } from "./alexnet.js";
export type { Backbone, BackboneBuilder } from "./backbone.js";
export { bvlcGoogLeNetBackbone, type GoogLeNetSpec, googLeNetBackbone } from "./googlenet.js";
export { INCEPTION_STAGES, type InceptionSpec, inceptionBackbone } from "./inception.js";
export { type MobileNetSpec, mobileNetBackbone } from "./mobilenet.js";
export { type MobileNetV3Spec, mobileNetV3Backbone } from "./mobilenetV3.js";
export type { Follower, NameAfter } from "./names.js";
export { RESNETS, type ResNetNames, type ResNetSpec, resNetBackbone, torchvisionNames } from "./resnet.js";
export {
  type CastLayer,
  type SquareWindow,
  torchvisionVggNames,
  VGG16,
  type VggNames,
  type VggSpec,
  vggBackbone,
} from "./vgg.js";
