import { type Device, io, TensorError } from "@fcn/tensor";
import { invalidArgument, matchNames, reworded } from "@fcn/tensor/internal";
import { IMAGENET_MEAN } from "../data/published/means.js";
import type { Preprocessing } from "../data/samples/preprocessing.js";
import { vocColours } from "../labels/colours.js";
import { numberedClasses } from "../models/file/metadata.js";
import { loadModel, type ModelMetadata } from "../models/file/weightsFile.js";
import { parameterShapes } from "../models/graph/parameters.js";
import { scoreLayers } from "../models/graph/scoreLayers.js";
import type { ModelOptions } from "../models/index.js";
import { graphOf, publishedPreprocessing } from "../models/registry.js";
import { type ConvertOptions, type ConvertReport, type FindNames, outputFormat, writeConverted } from "./convert.js";

export interface NetDescription {
  /** A name listed by `models.list()`. */
  readonly model: string;
  /** Further options of the model. Default: the number of classes and the auxiliary head, as found in the file. */
  readonly modelOptions?: Partial<ModelOptions> | undefined;
  /** Class names in the order of the scores. Default: `class 0`, `class 1`, ... */
  readonly classes?: readonly string[] | undefined;
  /** How images become input. Default: that of the model's published weights, otherwise ImageNet's means. */
  readonly preprocessing?: Preprocessing | undefined;
}

/**
 * Converts the weights of a whole net like `convert`, to a safetensors file that describes its net, as required
 * by `loadModel`, `fcn eval`, `predict` and `export` (Node). The file appears once the net has been loaded from it on
 * `device`.
 *
 * Throws what `convert` and `loadModel` throw, notably `state-dict-mismatch` if the weights do not belong to the net.
 */
export async function convertNet(
  input: string,
  output: string,
  { device, net, ...options }: ConvertOptions & { readonly device: Device; readonly net: NetDescription },
): Promise<ConvertReport> {
  if (outputFormat(output) !== "safetensors") {
    throw refuse(`${output} has no place for what is said of the net`, "name the output x.safetensors");
  }
  return io.withTemporary("convert", output, async (draft) => {
    // The user does not know about the draft.
    const renamed = (name: string, before: string) => (error: unknown) => {
      if (!(error instanceof TensorError)) throw error;
      throw reworded(error, { message: `${before}${error.message.replaceAll(draft, name)}` });
    };
    const describe = (shapes: Shapes): ModelMetadata => metadataOf(net, shapes);
    const findNames: FindNames = (shapes, prefix) => matchNames("convert", layersOf(net.model), shapes, prefix);
    const form = { to: "safetensors", describe, findNames } as const;
    const report = await writeConverted(input, draft, options, form).catch(renamed(output, ""));
    const { model } = await loadModel(draft, device).catch(renamed(input, "convert: "));
    model.dispose();
    return report;
  });
}

/** The names of the net's weights. The number of classes is not yet known, so any shape is accepted. */
function layersOf(model: string): Parameters<typeof matchNames>[1] {
  const { graph } = graphOf(model, { numClasses: 1 });
  const names = new Set(Object.keys(parameterShapes(graph)).filter((name) => name.endsWith(".weight")));
  const aliases = graph.aliases ?? {};
  const find = (name: string): string | undefined => {
    const layer = name.replace(/\.weight$/, "");
    const own = Object.hasOwn(aliases, layer) ? `${aliases[layer]}.weight` : name;
    return names.has(own) ? own : undefined;
  };
  return { names: [...names], find };
}

type Shapes = Readonly<Record<string, readonly number[]>>;

function metadataOf(net: NetDescription, shapes: Shapes): ModelMetadata {
  const { model, modelOptions = {} } = net;
  const { graph, options } = graphOf(model, { numClasses: 1 });
  const [layer] = scoreLayers({ ...graph, outputs: Object.fromEntries(Object.entries(graph.outputs).slice(0, 1)) });
  const numClasses = net.classes?.length ?? modelOptions.numClasses ?? shapes[`${layer}.weight`]?.[0];
  if (numClasses === undefined) {
    throw refuse(
      `the file has no ${layer}.weight, which scores the classes of ${model}`,
      "name the model that the weights are of, or bring the names over: --names (names)",
    );
  }
  const hasAux = Object.keys(shapes).some((name) => name.startsWith("aux_classifier."));
  const own: ModelOptions = {
    ...("auxLoss" in options && !hasAux ? { auxLoss: false } : {}),
    ...modelOptions,
    numClasses,
  };
  return {
    model,
    options: own,
    classes: net.classes ?? numberedClasses(numClasses),
    palette: vocColours().slice(0, numClasses),
    preprocessing: net.preprocessing ?? publishedPreprocessing(model) ?? IMAGENET_MEAN,
  };
}

function refuse(problem: string, fix: string): TensorError {
  return invalidArgument(`convert: ${problem}`, fix);
}
