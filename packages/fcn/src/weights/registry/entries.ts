import {
  CONTEXT_MEAN,
  caffe,
  IMAGENET_MEAN,
  NYUD_MEANS,
  PREPROCESSINGS,
  SIFT_FLOW_MEAN,
  VOC_MEAN,
} from "../../data/published/means.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { Checksum, PackagedModel, PublishedFile, WeightsEntry } from "./entry.js";

type Rest = Pick<PublishedFile, "model"> & Partial<PublishedFile>;

const VGG_TEAM = caffe([103.939, 116.779, 123.68]);

const TORCHVISION = "BSD-3-Clause, as torchvision; the terms of the data set (ImageNet, COCO) apply";
const CC_BY = "Creative Commons Attribution 4.0";
const BVLC = "unrestricted use (BVLC model license)";

/** From torchvision 0.14 to 0.22: the file, named with the first digits of its SHA-256, and its size in mebibytes. */
function torchvision(name: string, file: string, mebibytes: number, rest: Rest): PublishedFile {
  return {
    name: `torchvision/${name}`,
    url: `https://download.pytorch.org/models/${file}`,
    file,
    format: "pth",
    part: "backbone",
    numClasses: 1000,
    preprocessing: IMAGENET_MEAN,
    size: { mebibytes },
    checksum: { algorithm: "sha256", digits: file.replace(/^.*-([0-9a-f]{8})\.pth$/, "$1") },
    license: TORCHVISION,
    ...rest,
  };
}

/** From fcn.berkeleyvision.org, which publishes neither sizes nor checksums. */
function berkeley(name: string, model: string, numClasses: number, preprocessing: Preprocessing): PublishedFile {
  const file = `${name}.caffemodel`;
  const url = `http://dl.caffe.berkeleyvision.org/${file}`;
  const fixed = { format: "caffemodel", part: "net", license: BVLC } as const;
  return { name: `berkeley/${name}`, url, file, model, numClasses, preprocessing, ...fixed };
}

/** Berkeley's nets as converted by wkentaro/pytorch-fcn, on Google Drive. */
function pytorchFcn(name: string, model: string, id: string, md5: string): PublishedFile {
  return {
    name: `pytorch-fcn/${name}`,
    url: `https://drive.google.com/uc?id=${id}`,
    file: `${name}_from_caffe.pth`,
    format: "pth",
    part: "net",
    numClasses: 21,
    preprocessing: VOC_MEAN,
    checksum: { algorithm: "md5", digits: md5 },
    license: BVLC,
    model,
  };
}

function caffeClassifier(
  name: string,
  url: string,
  rest: Rest & { preprocessing: Preprocessing; license: string; checksum?: Checksum },
): PublishedFile {
  const file = url.slice(url.lastIndexOf("/") + 1);
  return { name, url, file, format: "caffemodel", part: "backbone", numClasses: 1000, ...rest };
}

/** A classifier of five kinds of pictures, which learned its features on ImageNet before. */
const nsfwjs = (
  name: string,
  path: string,
  rest: Pick<PackagedModel, "model" | "preprocessing" | "options">,
): PackagedModel => ({
  name: `nsfwjs/${name}`,
  npm: { package: "nsfwjs", path: `dist/models/${path}/model.min.js`, names: `tensorflow-${rest.model}` },
  file: `nsfwjs-${name}.safetensors`,
  format: "safetensors",
  part: "backbone",
  numClasses: 5,
  license: "MIT, as the npm package nsfwjs",
  ...rest,
});

const FROM_TENSORFLOW = {
  preprocessing: PREPROCESSINGS.symmetric,
  note: "converted from TensorFlow, hence the mean and deviation of one half",
};
const coco = { part: "net", numClasses: 21 } as const;
const sha1 = (digits: string): Checksum => ({ algorithm: "sha1", digits });

/** All files with a published address, grouped by publisher. */
export const ENTRIES: readonly WeightsEntry[] = [
  torchvision("fcn_resnet50", "fcn_resnet50_coco-1167a1af.pth", 135.009, { model: "fcn_resnet50", ...coco }),
  torchvision("fcn_resnet101", "fcn_resnet101_coco-7ecb50ca.pth", 207.711, { model: "fcn_resnet101", ...coco }),
  torchvision("deeplabv3_resnet50", "deeplabv3_resnet50_coco-cd0a2569.pth", 160.515, {
    model: "deeplabv3_resnet50",
    ...coco,
  }),
  torchvision("deeplabv3_resnet101", "deeplabv3_resnet101_coco-586e9e4e.pth", 233.217, {
    model: "deeplabv3_resnet101",
    ...coco,
  }),
  torchvision("deeplabv3_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large-fc3c493d.pth", 42.301, {
    model: "deeplabv3_mobilenet_v3_large",
    ...coco,
  }),
  torchvision("lraspp_mobilenet_v3_large", "lraspp_mobilenet_v3_large-d234d4ea.pth", 12.49, {
    model: "lraspp_mobilenet_v3_large",
    ...coco,
  }),
  torchvision("resnet18", "resnet18-f37072fd.pth", 44.661, { model: "resnet18" }),
  torchvision("resnet34", "resnet34-b627a593.pth", 83.275, { model: "resnet34" }),
  torchvision("resnet50", "resnet50-0676ba61.pth", 97.781, { model: "resnet50" }),
  torchvision("resnet50-v2", "resnet50-11ad3fa6.pth", 97.79, { model: "resnet50" }),
  torchvision("resnet101", "resnet101-63fe2227.pth", 170.511, { model: "resnet101" }),
  torchvision("resnet101-v2", "resnet101-cd907fc2.pth", 170.53, { model: "resnet101" }),
  torchvision("vgg16", "vgg16-397923af.pth", 527.796, { model: "vgg16" }),
  torchvision("vgg16-features", "vgg16_features-amdegroot-88682ab5.pth", 527.802, {
    model: "vgg16",
    preprocessing: { ...caffe([0.48235, 0.45882, 0.40784].map((value) => 255 * value)), channelOrder: "rgb" },
    note: "only `features` hold values, the classifier is NaN; converted from Caffe, for RGB",
  }),
  torchvision("alexnet", "alexnet-owt-7be5be79.pth", 233.087, { model: "alexnet-torchvision" }),
  torchvision("googlenet", "googlenet-1378be20.pth", 49.731, { model: "googlenet", ...FROM_TENSORFLOW }),
  torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 13.555, { model: "mobilenetv2" }),
  torchvision("mobilenet_v2-v2", "mobilenet_v2-7ebf99e0.pth", 13.598, { model: "mobilenetv2" }),
  torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 21.114, { model: "mobilenetv3large" }),
  torchvision("mobilenet_v3_large-v2", "mobilenet_v3_large-5c1a4163.pth", 21.107, { model: "mobilenetv3large" }),
  torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 103.903, {
    model: "inceptionv3",
    ...FROM_TENSORFLOW,
  }),

  berkeley("fcn32s-heavy-pascal", "fcn32s-vgg16", 21, VOC_MEAN),
  berkeley("fcn16s-heavy-pascal", "fcn16s-vgg16", 21, VOC_MEAN),
  berkeley("fcn8s-heavy-pascal", "fcn8s-vgg16", 21, VOC_MEAN),
  berkeley("fcn8s-atonce-pascal", "fcn8s-atonce-vgg16", 21, VOC_MEAN),
  berkeley("fcn-alexnet-pascal", "fcn32s-alexnet", 21, VOC_MEAN),
  berkeley("pascalcontext-fcn32s-heavy", "fcn32s-vgg16", 60, CONTEXT_MEAN),
  berkeley("pascalcontext-fcn16s-heavy", "fcn16s-vgg16", 60, CONTEXT_MEAN),
  berkeley("pascalcontext-fcn8s-heavy", "fcn8s-vgg16", 60, CONTEXT_MEAN),
  berkeley("siftflow-fcn32s-heavy", "fcn32s-vgg16-siftflow", 33, SIFT_FLOW_MEAN),
  berkeley("siftflow-fcn16s-heavy", "fcn16s-vgg16-siftflow", 33, SIFT_FLOW_MEAN),
  berkeley("siftflow-fcn8s-heavy", "fcn8s-vgg16-siftflow", 33, SIFT_FLOW_MEAN),
  berkeley("nyud-fcn32s-color-heavy", "fcn32s-vgg16", 40, NYUD_MEANS.color),
  berkeley("nyud-fcn32s-hha-heavy", "fcn32s-vgg16", 40, NYUD_MEANS.hha),
  {
    ...berkeley("nyud-fcn32s-color-hha-heavy", "fcn32s-vgg16-hha", 40, {
      ...NYUD_MEANS["color-hha"],
      channelOrder: "rgb",
    }),
    note: "six channels in the order blue, green, red and the three of HHA",
  },

  pytorchFcn("fcn32s", "fcn32s-vgg16", "11k2Q0bvRQgQbT6-jYWeh6nmAsWlSCY3f", "d3eb467a80e7da0468a20dfcbc13e6c8"),
  pytorchFcn("fcn16s", "fcn16s-vgg16", "1bctu58B6YH9bu6lBBSBB2rUeGlGhYLoP", "a2d4035f669f09483b39c9a14a0d6670"),
  pytorchFcn("fcn8s", "fcn8s-vgg16", "1ieXWyoG68xqoHJPWdyrDyaIaaWlfmUxI", "de93e540ec79512f8770033849c8ae89"),
  pytorchFcn("fcn8s-atonce", "fcn8s-atonce-vgg16", "0B9P1L--7Wd2vblE1VUIxV1o2d2M", "bfed4437e941fef58932891217fe6464"),
  {
    ...pytorchFcn("vgg16", "vgg16", "1adDBTGY3GcEB_47dvcibajyzi872RAs3", "aa75b158f4181e7f6230029eb96c1b13"),
    part: "backbone",
    numClasses: 1000,
    license: CC_BY,
  },

  caffeClassifier(
    "vgg/vgg16",
    "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/VGG_ILSVRC_16_layers.caffemodel",
    { model: "vgg16", preprocessing: VGG_TEAM, license: CC_BY },
  ),
  caffeClassifier("bvlc/caffenet", "http://dl.caffe.berkeleyvision.org/bvlc_reference_caffenet.caffemodel", {
    model: "alexnet",
    preprocessing: VOC_MEAN,
    checksum: sha1("4c8d77deb20ea792f84eb5e6d0a11ca0a8660a46"),
    license: BVLC,
  }),
  caffeClassifier("bvlc/googlenet", "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel", {
    model: "googlenet-bvlc",
    preprocessing: caffe([104, 117, 123]),
    checksum: sha1("405fc5acd08a3bb12de8ee5e23a96bec22f08204"),
    license: BVLC,
  }),

  nsfwjs("mobilenetv2", "mobilenet_v2", { model: "mobilenetv2", preprocessing: PREPROCESSINGS.unit }),
  nsfwjs("mobilenetv2-1.4", "mobilenet_v2_mid", {
    model: "mobilenetv2",
    preprocessing: PREPROCESSINGS.symmetric,
    options: { widthMultiplier: 1.4 },
  }),
  nsfwjs("inceptionv3", "inception_v3", { model: "inceptionv3", preprocessing: PREPROCESSINGS.unit }),
];
