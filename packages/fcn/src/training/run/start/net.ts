import { io, type TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Preprocessing } from "../../../data/samples/preprocessing.js";
import { imagenetPreprocessing } from "../../../models/file/metadata.js";
import { type ModelMetadata, type PartialMetadata, parsePartialMetadata } from "../../../models/file/weightsFile.js";
import { inferChannels } from "../../../models/graph/geometry/channels.js";
import { type Graph, inputChannels, mainHead } from "../../../models/graph/spec.js";
import type { ModelOptions } from "../../../models/index.js";
import { graphOf, publishedPreprocessing } from "../../../models/registry.js";
import { withoutUndefined } from "../../../options/option.js";
import { bothWays } from "../../remedies.js";
import type { TrainRunOptions } from "../../settings/runOptions.js";
import type { Configuration } from "../configuration.js";
import type { RunData } from "./data.js";
import type { ChosenStart } from "./pretrained.js";

/**
 * Decides which net a run trains, from its options, the weights file and the data. `saved` is the configuration of the
 * checkpoint that the run continues from; it replaces a weights file that is gone or not named again.
 */
export async function chooseNet(
  { options, file, pretrained }: ChosenStart,
  { opened, sample }: RunData,
  saved: Configuration | undefined,
): Promise<ModelMetadata> {
  const { channels } = sample.image;
  const { options: needed, preprocessing: expected } = pretrained?.entry ?? {};
  const source = withoutUndefined({
    ...{ options: needed, preprocessing: expected },
    ...(await describedNet(file, saved)),
  }) as PartialMetadata;
  const graph =
    typeof options.model === "object" ? options.model : options.model === undefined ? source.graph : undefined;
  const name = graph?.name ?? (options.model as string | undefined) ?? source.model;
  if (name === undefined) throw noModel(options.weights);
  const modelOptions: ModelOptions = {
    ...(source.model === undefined || source.model === name ? withoutClasses(source.options) : {}),
    ...(channels === 3 ? {} : { inChannels: channels }),
    ...(graph ? {} : furtherClasses(name, options, opened.more)),
    ...options.modelOptions,
    numClasses: opened.classes.length,
    seed: options.seed ?? 0,
  };
  const known = options.preprocessing ?? source.preprocessing;
  const starts = options.weights !== undefined && saved === undefined;
  const preprocessing =
    known ??
    opened.preprocessing ??
    defaultPreprocessing(channels, options.weights === undefined || graph ? undefined : name);
  if (starts && known === undefined) options.view?.line?.(tellPreprocessing(options.weights as string, preprocessing));
  const { classes, palette } = opened;
  if (graph) checkGraph(graph, { channels, classes, given: options.modelOptions });
  const { channelOrder, mean, std } = preprocessing;
  // The scale comes from the images of this training, whatever scale the weights began with.
  const { range, depths } = opened;
  const scale = { ...(range ? { range } : {}), ...(depths ? { depths } : {}) };
  const seen = { channelOrder, mean, std, ...scale };
  return { model: name, options: modelOptions, ...(graph && { graph }), classes, palette, preprocessing: seen };
}

/** Throws if a graph does not suit the data. */
function checkGraph(
  graph: Graph,
  { channels, classes, given = {} }: { channels: number; classes: readonly string[]; given: object | undefined },
): void {
  const [option] = Object.keys(given);
  if (option !== undefined) {
    throw invalidArgument(
      `train: the net ${graph.name} is built from its graph, which takes no option ${option}`,
      bothWays((say) => `leave ${say("modelOptions", "--width and --model-option")} out, or name a model`),
    );
  }
  const scored = inferChannels(graph).get(mainHead(graph));
  const taken = inputChannels(graph);
  if (scored === classes.length && taken === channels) return;
  throw invalidArgument(
    `train: the graph ${graph.name} takes images with ${taken} channels and scores ${scored} classes, the data have ${channels} channels and ${classes.length} classes`,
    {
      code: "build the graph for the channels and classes of the data",
      command: "use weights of a net for these classes, or train another net on them: --model",
    },
  );
}

/** What the starting weights say about their net, or the checkpoint if they are gone or not named. */
async function describedNet(file: ChosenStart["file"], saved: Configuration | undefined): Promise<PartialMetadata> {
  if (saved !== undefined && file === undefined) {
    const { model, modelOptions, graph, preprocessing } = saved;
    return { model, options: modelOptions, graph, preprocessing } as PartialMetadata;
  }
  if (file === undefined) return {};
  const strings = await io.openWeights(file, ({ format, metadata }) => (format === "safetensors" ? metadata : {}));
  return parsePartialMetadata(strings);
}

const withoutClasses = ({ numClasses: _, seed: __, ...rest }: Partial<ModelOptions> = {}): Partial<ModelOptions> =>
  rest;

/** How many classes the second head of a net for two tasks scores: as many as its extra labels have. */
function furtherClasses(
  name: string,
  { headLabels }: TrainRunOptions,
  more: RunData["opened"]["more"],
): Partial<ModelOptions> {
  const { graph, options } = graphOf(name, { numClasses: 1 });
  const map = (headLabels ?? graph.headLabels)?.geo;
  const known = map === undefined ? undefined : more?.[map];
  return known && "geometricClasses" in options ? { geometricClasses: known.classes.length } : {};
}

function noModel(weights: string | undefined): TensorError {
  return invalidArgument(
    weights === undefined ? "train: no model is named" : `train: ${weights} does not say which net it belongs to`,
    bothWays((say) => {
      return `name a model (${say("model, one of models.list()", "--model")}), such as fcn8s-vgg16 or fcn16s-mobilenetv2`;
    }),
  );
}

/**
 * Warns about a weights file without preprocessing, which is assumed to be the published one. Weights from another
 * library may need different numbers.
 */
function tellPreprocessing(file: string, { channelOrder, mean, std }: Preprocessing): string {
  const text = `${channelOrder}, mean ${mean.join(", ")}, deviation ${std.join(", ")}`;
  return `${file} does not say how its images became numbers: they are taken as ${text} (--preprocessing)`;
}

/**
 * The preprocessing of the published weights that the run starts from, if they take as many channels. Otherwise
 * ImageNet's means for colour images, with further channels centred on the middle of 0 to 255.
 */
function defaultPreprocessing(channels: number, startsFrom: string | undefined): Preprocessing {
  const published = startsFrom === undefined ? undefined : publishedPreprocessing(startsFrom);
  if (published?.mean.length === channels) return published;
  return imagenetPreprocessing(channels);
}
