// Writes tfjs_models.safetensors: what TensorFlow.js itself makes of the models in the npm package nsfwjs, its weights
// and its features on one image. Needs `npm ci --ignore-scripts` in bench/peers and a build; the tests need neither.
// Run: node test/golden/tfjs_models.mjs
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import { requirePeer } from "../../bench/lib/peers.mjs";

const tf = requirePeer("@tensorflow/tfjs-core");
requirePeer("@tensorflow/tfjs-backend-cpu");
const { loadLayersModel } = requirePeer("@tensorflow/tfjs-layers");
const { loadGraphModel } = requirePeer("@tensorflow/tfjs-converter");

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve("nsfwjs")), "../models");

/** Each model: size of the image, and the layers whose outputs are kept. */
const MODELS = {
  mobilenet_v2: { height: 64, width: 96, outputs: ["block_6_expand_relu", "block_12_add", "block_13_expand_relu", "out_relu"] },
  mobilenet_v2_mid: {
    height: 64,
    width: 96,
    outputs: ["expanded_conv_12/add", "expanded_conv_13/expand/Relu6", "Conv_1/Relu6"],
    graph: true,
  },
  inception_v3: { height: 91, width: 107, outputs: ["mixed2", "mixed7"] },
};

/** The image: the tests make it again by the same formula. NHWC, 0 to 1. */
function image(height, width) {
  const data = Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / (3 * width)), Math.floor(i / 3) % width, i % 3];
    return ((3 * x * x + 5 * y * y + 7 * x * y + 61 * c) % 256) / 255;
  });
  return tf.tensor4d(data, [1, height, width, 3]);
}

function readModel(name) {
  const description = require(join(folder, name, "model.min.js"));
  const [{ paths, weights }] = description.weightsManifest;
  const bytes = Buffer.concat(paths.map((path) => Buffer.from(require(join(folder, name, `${path}.min.js`)), "base64")));
  const weightData = new Uint8Array(bytes).buffer;
  return { ...description, weightSpecs: weights, weightData };
}

/** First, middle and last value of every weight, in the order of the manifest. */
async function sampleWeights({ weightData, weightSpecs }) {
  const decoded = tf.io.decodeWeights(weightData, weightSpecs);
  const values = [];
  for (const { name } of weightSpecs) {
    const data = await decoded[name].data();
    values.push(data[0], data[data.length >> 1], data[data.length - 1]);
  }
  return { dtype: "float32", shape: [weightSpecs.length, 3], data: Float32Array.from(values) };
}

/** The layers up to `outputs`, for images of any size. */
async function runLayers(model, outputs, image) {
  const { modelTopology, weightSpecs, weightData } = model;
  const { config } = modelTopology.model_config;
  config.layers[0].config.batch_input_shape = [null, null, null, 3];
  const last = Math.max(...outputs.map((name) => config.layers.findIndex((layer) => layer.name === name)));
  config.layers = config.layers.slice(0, last + 1);
  config.output_layers = outputs.map((name) => [name, 0, 0]);
  const net = await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }), { strict: false });
  return net.predict(image);
}

async function runGraph(model, outputs, image) {
  const placeholder = model.modelTopology.node.find((node) => node.op === "Placeholder");
  placeholder.attr.shape.shape.dim = [-1, -1, -1, 3].map((size) => ({ size: String(size) }));
  for (const input of Object.values(model.userDefinedMetadata.signature.inputs)) {
    input.tensorShape.dim = placeholder.attr.shape.shape.dim;
  }
  const nodes = outputs.map((output) => model.modelTopology.node.find(({ name }) => name.endsWith(`/MobilenetV2/${output}`)));
  const net = await loadGraphModel(tf.io.fromMemory(model));
  return net.execute({ input: image }, nodes.map((node) => node.name));
}

tf.env().set("IS_NODE", false);
await tf.setBackend("cpu");
const golden = {};
for (const [name, { height, width, outputs, graph }] of Object.entries(MODELS)) {
  const model = readModel(name);
  golden[`${name}/weights`] = await sampleWeights(model);
  const features = await (graph ? runGraph : runLayers)(model, outputs, image(height, width));
  for (const [i, output] of outputs.entries()) {
    const nchw = tf.transpose(features[i], [0, 3, 1, 2]);
    golden[`${name}/${output}`] = { dtype: "float32", shape: nchw.shape, data: await nchw.data() };
    console.log(name, output, nchw.shape.join("x"), (await tf.max(nchw).data())[0]);
  }
}
const path = fileURLToPath(new URL("tfjs_models.safetensors", import.meta.url));
await io.writeSafetensors(path, golden, { metadata: { tfjs: tf.version_core } });
