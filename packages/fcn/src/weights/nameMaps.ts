import { elementsOf } from "@fcn/tensor/internal";
import { IMAGENET_MEAN } from "../data/published/means.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";

type Shape = readonly number[];

/** The names and shapes that another library uses for the arrays of a net. */
export interface NameMap {
  readonly summary: string;
  /** Whether the map applies to this name. */
  covers(name: string): boolean;
  /** The new name; names that the map does not cover are kept. */
  rename(name: string): string;
  /** The shape under the new name, for the same values in the same order. */
  shapeOf(name: string, shape: readonly number[]): readonly number[];
  /** The preprocessing of such weights, if the published weights under the new names use a different one. */
  readonly preprocessing?: Preprocessing;
}

/** Prefixes of names and their replacements. */
type Prefixes = readonly (readonly [from: string, to: string])[];

const VGG16_FEATURES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
const VGG16_CONVOLUTIONS =
  "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 conv4_2 conv4_3 conv5_1 conv5_2 conv5_3".split(" ");

/** torchvision's vgg16 -> layers of the Caffe model and of FCN. */
const VGG16: Prefixes = [
  ...VGG16_FEATURES.map((index, i) => [`features.${index}.`, `${VGG16_CONVOLUTIONS[i]}.`] as const),
  ["classifier.0.", "fc6."],
  ["classifier.3.", "fc7."],
  ["classifier.6.", "fc8."],
];

/** torchvision's ResNet -> the d2l net, which is a Sequential of its children. */
const D2L: Prefixes = [
  ["conv1.", "0."],
  ["bn1.", "1."],
  ["layer1.", "4."],
  ["layer2.", "5."],
  ["layer3.", "6."],
  ["layer4.", "7."],
];

const BACKBONE: Prefixes = [["", "backbone."]];

/** Layers of the published FCN nets, which have the same names in our nets. */
const FCN_LAYERS = ["conv1.", ...VGG16_CONVOLUTIONS.map((name) => `${name}.`), "fc6.", "fc7.", "score", "upscore"];
const SAME: Prefixes = FCN_LAYERS.map((name) => [name, name]);

const reversed = (prefixes: Prefixes): Prefixes => prefixes.map(([from, to]) => [to, from]);

/**
 * Kernel sizes of the formerly fully connected layers; the first that fits wins. fc6 is 7x7 in VGG16, 6x6 in CaffeNet.
 */
const CAST_KERNELS: ReadonlyMap<string, readonly number[]> = new Map([
  ["fc6.weight", [7, 6]],
  ["fc7.weight", [1]],
  ["fc8.weight", [1]],
]);
const LINEAR = /^classifier\.[036]\.weight$/;

/** Old Caffe files pad every shape with leading ones to four dimensions. */
function withoutPadding(shape: Shape, rank: number): Shape {
  const padded = shape.length === 4 && shape.slice(0, 4 - rank).every((size) => size === 1);
  return padded ? shape.slice(4 - rank) : shape;
}

const squeezeBias = (name: string, shape: Shape): Shape => (name.endsWith(".bias") ? withoutPadding(shape, 1) : shape);

/** A fully connected layer as [O, I]: old Caffe files store [1, 1, O, I], and a converted one is [O, C, k, k]. */
function matrixOf(shape: Shape): readonly [outputs: number, inputs: number] {
  const [outputs = 0, ...rest] = withoutPadding(shape, 2);
  return [outputs, elementsOf(rest)];
}

/**
 * [O, I] to [O, I / k^2, k, k]: a fully connected layer is a convolution whose kernel covers its whole input (section
 * 3.1 of the FCN paper).
 */
function toConvolution(name: string, shape: Shape): Shape {
  const [outputs, inputs] = matrixOf(shape);
  const kernel = CAST_KERNELS.get(name)?.find((size) => inputs % size ** 2 === 0);
  return kernel === undefined ? squeezeBias(name, shape) : [outputs, inputs / kernel ** 2, kernel, kernel];
}

const toLinear = (name: string, shape: Shape): Shape =>
  LINEAR.test(name) ? matrixOf(shape) : squeezeBias(name, shape);

function mapOf(summary: string, prefixes: Prefixes, shapeOf: NameMap["shapeOf"] = (_, shape) => shape): NameMap {
  const find = (name: string) => prefixes.find(([from]) => name.startsWith(from));
  return {
    summary,
    covers: (name) => find(name) !== undefined,
    rename: (name) => {
      const [from, to] = find(name) ?? ["", ""];
      return to + name.slice(from.length);
    },
    shapeOf,
  };
}

export const NAME_MAPS: Readonly<Record<string, NameMap>> = {
  "vgg16-to-caffe": {
    ...mapOf("torchvision's vgg16 to the layers of Caffe and FCN", VGG16, toConvolution),
    preprocessing: IMAGENET_MEAN,
  },
  "caffe-to-vgg16": mapOf("the layers of Caffe or FCN to torchvision's vgg16", reversed(VGG16), toLinear),
  berkeley: mapOf("a Caffe model of VGG16 or FCN to our FCN nets: same names, shapes of today", SAME, toConvolution),
  "pytorch-fcn": mapOf("wkentaro/pytorch-fcn to our FCN nets: same names", SAME, toConvolution),
  "resnet-to-d2l": mapOf("torchvision's resnet18 to the d2l net", D2L),
  "d2l-to-resnet": mapOf("the d2l net to torchvision's resnet18", reversed(D2L)),
  "torchvision-to-backbone": mapOf("a torchvision classifier to the backbone of our nets", BACKBONE),
  "backbone-to-torchvision": mapOf("the backbone of our nets to a torchvision classifier", reversed(BACKBONE)),
};
