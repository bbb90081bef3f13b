import { type Device, hasCode, io, type Tensor, TensorError } from "@fcn/tensor";
import { elementsOf, isNode, reworded } from "@fcn/tensor/internal";
import { type FileSource, type LoadOptions, localFile, sourceName } from "../../files/fetchBytes.js";
import { classesOf } from "../graph/geometry/channels.js";
import type { GraphNet } from "../graph/net.js";
import { parameterShapes } from "../graph/parameters.js";
import { type Graph, inputChannels } from "../graph/spec.js";
import { build, create } from "../registry.js";
import type { SegmentationNet } from "../segmentationNet.js";
import { describeNet } from "./describeNet.js";
import { findNonFinite } from "./finite.js";
import { encodeMetadata, type ModelMetadata, parseMetadata } from "./metadata.js";

export {
  encodeMetadata,
  type ModelMetadata,
  type PartialMetadata,
  parsePartialMetadata,
  readClasses,
} from "./metadata.js";

/**
 * The bytes of a safetensors file with a net's weights and all that is needed to use them, in Node and in the browser.
 * `loadModel` and the command line read such files. A net from `models.create` is described by its name and options,
 * any other `GraphNet` by its graph. Fields missing from `metadata` get defaults: classes `class 0`, `class 1`, ...,
 * PASCAL VOC's colours, and the preprocessing that the net was trained with in this process (otherwise that of the
 * model's published weights, otherwise ImageNet's means).
 *
 * Throws `invalid-argument` for metadata that do not fit the net, and for a module of your own without a name from
 * `models.list()`.
 */
export async function encodeModel(model: SegmentationNet, metadata: Partial<ModelMetadata> = {}): Promise<Uint8Array> {
  const described = encodeMetadata(describeNet("encodeModel", model, metadata));
  return io.encodeSafetensors(model.stateDict(), { metadata: described });
}

/**
 * Writes the bytes of {@link encodeModel} to a file, one array at a time (Node). The file appears only once it is
 * complete.
 */
export async function saveModel(
  path: string | URL,
  model: SegmentationNet,
  metadata: Partial<ModelMetadata> = {},
): Promise<void> {
  if (!isNode()) {
    throw new TensorError({
      code: "unsupported",
      message: "saveModel: this is not Node, and there are no files",
      fix: { code: "take the bytes, and let the reader save them: await fcn.encodeModel(net, metadata)" },
    });
  }
  const described = encodeMetadata(describeNet("saveModel", model, metadata));
  await io.writeSafetensors(path, model.stateDict(), { metadata: described });
}

/** A net loaded from a file that {@link saveModel} wrote. */
export interface LoadedModel {
  readonly model: GraphNet;
  readonly metadata: ModelMetadata;
}

/**
 * Builds the net that a weights file describes, and loads the weights. The file is given by its path (Node), its bytes,
 * as a Blob or File, by its address (http, https, blob or data; on a page any address; in Node also `s3://`), or as the
 * Response of a fetch; `onProgress` and `signal` are about what is fetched. The net is in evaluation mode. A net
 * described by its graph takes no more memory than the file has values.
 *
 * Throws `invalid-file` unless the file describes a net, `unsupported-file` for a file of another kind, such as a
 * `.pth` or `.onnx`, with what to do with it, `not-finite` if a weight is NaN or infinite, and for an address
 * `no-network` or `download-refused`, with its status.
 *
 * @example
 * ```ts
 * import { encodeModel, loadModel, models } from "@fcn/core";
 * import { createDevice } from "@fcn/tensor";
 * const device = await createDevice();
 * const net = models.create("fcn32s-small", device, { numClasses: 2 });
 * const bytes = await encodeModel(net, { classes: ["land", "water"] });
 * const { model, metadata } = await loadModel(bytes, device);
 * console.log(model.graph.name, metadata.classes); // fcn32s-small [ "land", "water" ]
 * device.destroy();
 * ```
 */
export async function loadModel(source: FileSource, device: Device, options: LoadOptions = {}): Promise<LoadedModel> {
  return loadFile(await localFile("loadModel", source, options), device);
}

/** What a weights file says of its net. Throws as {@link loadModel} does. */
export async function readMetadata(source: FileSource): Promise<ModelMetadata> {
  const file = await localFile("loadModel", source);
  return parseMetadata(await io.readSafetensorsMetadata(file).catch(ofModel));
}

async function loadFile(source: io.PathOrBytes, device: Device): Promise<LoadedModel> {
  const metadata = await readMetadata(source);
  if (metadata.graph !== undefined) await checkGraphFile(source, metadata);
  const model = buildNet(metadata, device);
  try {
    await io.loadWeights(model, source);
    await refuseNonFinite("loadModel", model, source);
  } catch (error) {
    model.dispose();
    throw error;
  }
  model.eval();
  return { model, metadata };
}

/** The error for a file that is no safetensors file, in the words of {@link loadModel}. */
function ofModel(error: unknown): never {
  if (!hasCode(error, "unsupported-file", "corrupt-file", "unreadable-file")) throw error;
  const message = error.message.replace("readSafetensors:", "loadModel:");
  const { is } = error.details ?? {};
  const isWeights = typeof is === "string" && FILES_OF_WEIGHTS.test(is);
  throw reworded(error, {
    message,
    ...(isWeights && {
      fix: {
        code: "it holds weights without their net: make the net with models.create and call io.loadWeights(net, file)",
        command: "have a file made that names its net: fcn convert IN OUT --model NAME",
      },
    }),
  });
}

/** Files, as guessed by their first bytes, that `io.loadWeights` reads. */
const FILES_OF_WEIGHTS = /PyTorch file \(\.pth\)|NumPy archive/;

/** Nets that predict together, at least one. */
export type Nets = readonly [LoadedModel, ...LoadedModel[]];

/** {@link loadModel} for one file or more. */
export async function loadModels(sources: readonly FileSource[], device: Device): Promise<Nets> {
  const loaded: LoadedModel[] = [];
  for (const source of sources) loaded.push(await loadModel(source, device));
  return loaded as [LoadedModel, ...LoadedModel[]];
}

/** The described net with its initial values. */
export const buildNet = (
  { model, options, graph }: Pick<ModelMetadata, "model" | "options" | "graph">,
  device: Device,
) => (graph === undefined ? create<Tensor>(model, device, options) : build<Tensor>(device, graph, options.seed));

/**
 * Throws `invalid-file` if a file lacks the values that its graph needs or its fields disagree. Runs before the net
 * takes any memory.
 */
async function checkGraphFile(source: io.PathOrBytes, metadata: ModelMetadata): Promise<void> {
  const { graph, classes, preprocessing } = metadata as ModelMetadata & { readonly graph: Graph };
  const sum = (shapes: readonly (readonly number[])[]): number =>
    shapes.reduce((total, own) => total + elementsOf(own), 0);
  const needed = sum(Object.values(parameterShapes(graph)));
  const held = await io.openWeights(source, ({ arrays }) => sum(Object.values(arrays).map(({ shape }) => shape)));
  const scored = classesOf(graph);
  const problem =
    needed > held
      ? `its graph needs ${needed} values, and it holds ${held}`
      : scored !== classes.length
        ? `its graph scores ${scored} classes, and it names ${classes.length}`
        : preprocessing.mean.length !== inputChannels(graph)
          ? `its graph takes ${inputChannels(graph)} channels, and its preprocessing is for ${preprocessing.mean.length}`
          : undefined;
  if (problem === undefined) return;
  throw new TensorError({
    code: "invalid-file",
    message: `loadModel: ${sourceName(source)}: ${problem}`,
    fix: {
      code: "write the file again with encodeModel or saveModel",
      command: "use a file that a training run wrote, and copy it again if it may be damaged",
    },
  });
}

/**
 * Throws `not-finite` for a net with NaN or infinity, whose output looks valid but is often the first class everywhere.
 */
export async function refuseNonFinite(op: string, model: SegmentationNet, source: io.PathOrBytes): Promise<void> {
  const found = await findNonFinite(model);
  if (found === undefined) return;
  throw new TensorError({
    code: "not-finite",
    message: `${op}: ${sourceName(source)}: ${found} holds NaN or infinity`,
    fix: "take weights from before the training diverged, or train again at a lower learning rate",
  });
}
