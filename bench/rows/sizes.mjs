/** The operations at the sizes that they have in real nets, on an image of 320x480. */
import { batchNorm, conv, convTranspose, crossEntropy, maxPool } from "./ops.mjs";

const ALL = { tfjs: true, onnx: true, jax: true, wasm: true };
const NO_ZEROS = { ...ALL, jax: "inserts zeros: about two minutes" };
const NOT_ONNX = { tfjs: true, jax: true };
const strayed = (gradient) => ({ ...ALL, jax: `gives another ${gradient} gradient than ours and tfjs` });
const upscore = { k: 64, stride: 32, padding: 16, channels: 21, h: 10, w: 15, peers: NO_ZEROS };

export const OPERATIONS = [
  conv({ k: 3, padding: 1, inC: 3, outC: 64, h: 160, w: 240, peers: ALL }),
  conv({ k: 3, padding: 1, inC: 64, outC: 64, h: 160, w: 240, peers: ALL }),
  conv({ k: 3, padding: 1, inC: 512, outC: 512, h: 20, w: 30, peers: ALL }),
  conv({ k: 7, stride: 2, padding: 3, inC: 3, outC: 64, h: 320, w: 480, peers: ALL, gradientPeers: strayed("weight") }),
  conv({ k: 1, inC: 512, outC: 21, h: 10, w: 15, peers: ALL }),
  conv({ k: 1, inC: 256, outC: 256, h: 40, w: 60, peers: ALL }),
  convTranspose(upscore),
  convTranspose({ ...upscore, diagonal: true, peers: { ...NO_ZEROS, jax: "has no grouped conv-transpose" } }),
  convTranspose({ k: 4, stride: 2, padding: 1, channels: 21, h: 20, w: 30, peers: ALL }),
  crossEntropy({ classes: 21, h: 320, w: 480, peers: NOT_ONNX }),
  maxPool({ channels: 64, h: 160, w: 240, peers: ALL }),
  batchNorm({ channels: 64, h: 160, w: 240, peers: NOT_ONNX }),
];

/** tfjs would need half a minute for a backward pass of these. */
const VGG = { onnx: true, jax: true };
const VGG_STRAYED = { ...VGG, jax: "gives another weight gradient than ours" };

export const VGG16 = [
  conv({ of: "conv1_1", k: 3, padding: 1, inC: 3, outC: 64, h: 320, w: 480, peers: VGG, gradientPeers: VGG_STRAYED }),
  conv({ of: "conv2_2", k: 3, padding: 1, inC: 128, outC: 128, h: 160, w: 240, peers: VGG }),
  conv({ of: "conv3_3", k: 3, padding: 1, inC: 256, outC: 256, h: 80, w: 120, peers: VGG }),
  conv({ of: "conv4_3", k: 3, padding: 1, inC: 512, outC: 512, h: 40, w: 60, peers: VGG }),
  conv({ of: "fc7", k: 1, inC: 4096, outC: 4096, h: 10, w: 15, peers: VGG }),
].map((op) => ({ ...op, title: `VGG16 ${op.title}` }));

export const RESNET18 = [
  conv({ of: "layer1", k: 3, padding: 1, inC: 64, outC: 64, h: 80, w: 120, peers: ALL }),
  conv({ of: "layer2.0", k: 3, stride: 2, padding: 1, inC: 64, outC: 128, h: 80, w: 120, peers: ALL }),
  conv({ of: "layer2.0 downsample", k: 1, stride: 2, inC: 64, outC: 128, h: 80, w: 120, peers: ALL }),
  conv({ of: "layer2.1", k: 3, padding: 1, inC: 128, outC: 128, h: 40, w: 60, peers: ALL }),
  conv({ of: "layer3.1", k: 3, padding: 1, inC: 256, outC: 256, h: 20, w: 30, peers: ALL }),
  conv({ of: "layer4.1", k: 3, padding: 1, inC: 512, outC: 512, h: 10, w: 15, peers: ALL }),
].map((op) => ({ ...op, title: `ResNet-18 ${op.title}` }));

const depthwise = ({ channels, ...rest }) =>
  conv({ k: 3, padding: 1, inC: channels, outC: channels, groups: channels, peers: ALL, ...rest });
const pointwise = (sizes) => conv({ k: 1, peers: ALL, ...sizes });

export const MOBILENETV2 = [
  depthwise({ of: "features.1", channels: 32, h: 160, w: 240 }),
  pointwise({ of: "features.2 expand", inC: 16, outC: 96, h: 160, w: 240 }),
  depthwise({ of: "features.2", channels: 96, stride: 2, h: 160, w: 240, gradientPeers: strayed("input") }),
  pointwise({ of: "features.3 expand", inC: 24, outC: 144, h: 80, w: 120 }),
  depthwise({ of: "features.3", channels: 144, h: 80, w: 120 }),
  pointwise({ of: "features.3 project", inC: 144, outC: 24, h: 80, w: 120 }),
  depthwise({ of: "features.8", channels: 384, h: 20, w: 30 }),
  pointwise({ of: "features.8 project", inC: 384, outC: 64, h: 20, w: 30 }),
  depthwise({ of: "features.15", channels: 960, h: 10, w: 15 }),
  pointwise({ of: "features.17 project", inC: 960, outC: 320, h: 10, w: 15 }),
].map((op) => ({ ...op, title: `MobileNetV2 ${op.title}` }));
