import type { Fix, TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { vocColours } from "../../labels/colours.js";
import { classesOf } from "../graph/geometry/channels.js";
import { GraphNet } from "../graph/net.js";
import { parameterShapes } from "../graph/parameters.js";
import { type Graph, inputChannels } from "../graph/spec.js";
import { graphOf, list, originOf, publishedPreprocessing } from "../registry.js";
import type { SegmentationNet } from "../segmentationNet.js";
import { imagenetPreprocessing, isPreprocessing, type ModelMetadata, numberedClasses } from "./metadata.js";
import { usedPreprocessing } from "./usedPreprocessing.js";

/**
 * The full description of a net for a file. A net from `models.create` is described by its name and options, any other
 * by its graph. Missing fields get defaults: `class 0`, `class 1`, ...; PASCAL VOC's colours; and the preprocessing
 * that the net was trained with in this process, or that of the model's published weights, or ImageNet's means. Throws
 * `invalid-argument` for metadata that do not fit the net.
 */
export function describeNet(op: string, net: SegmentationNet, given: Partial<ModelMetadata>): ModelMetadata {
  const graph = net instanceof GraphNet ? (net.graph as Graph) : undefined;
  const named = nameOf(op, net, graph, given);
  const count = (graph && classesOf(graph)) ?? given.classes?.length ?? named.options.numClasses;
  const classes = given.classes ?? numberedClasses(count);
  if (classes.length !== count) {
    throw refuse(op, `metadata names ${classes.length} classes, the net scores ${count}`, "pass one name a class");
  }
  const channels = graph ? inputChannels(graph) : (named.options.inChannels ?? 3);
  const preprocessing = given.preprocessing ?? usedPreprocessing(net) ?? defaultOf(named, channels);
  if (!isPreprocessing(preprocessing) || preprocessing.mean.length !== channels) {
    const problem = `metadata.preprocessing is not that of images with ${channels} ${channels === 1 ? "channel" : "channels"}`;
    throw refuse(op, problem, {
      code: "pass { channelOrder, mean, std } with one mean and one deviation above 0 a channel",
    });
  }
  return { ...named, classes, palette: given.palette ?? vocColours().slice(0, count), preprocessing };
}

type Named = Pick<ModelMetadata, "model" | "options" | "graph">;

function nameOf(op: string, net: SegmentationNet, graph: Graph | undefined, given: Partial<ModelMetadata>): Named {
  const origin = originOf(net);
  const { model = origin?.model } = given;
  if (model !== undefined && given.graph === undefined && (list().includes(model) || origin || !graph)) {
    const options = given.options ?? (origin?.model === model ? origin.options : undefined);
    const own = options ?? { numClasses: given.classes?.length ?? (graph && classesOf(graph)) ?? 0 };
    if (graph) checkSame(op, graph, { model, options: own });
    return { model, options: own };
  }
  if (graph === undefined) {
    throw refuse(op, "the net is a module of its own, and no file can say how it is built", {
      code: "build it as a graph (GraphBuilder, GraphNet), or write its values alone: io.encodeSafetensors(net.stateDict())",
    });
  }
  return {
    model: model ?? graph.name,
    options: { numClasses: classesOf(graph) ?? 0, inChannels: inputChannels(graph) },
    graph,
  };
}

/** Throws unless the net has the layers that its description gives. */
function checkSame(op: string, graph: Graph, { model, options }: Named): void {
  const text = (own: Graph): string[] =>
    Object.entries(parameterShapes(own))
      .map(([name, shape]) => `${name} [${shape.join(", ")}]`)
      .sort();
  const [wanted, found] = [text(graphOf(model, options).graph), text(graph)];
  const [stray] = [
    ...found.filter((entry) => !wanted.includes(entry)),
    ...wanted.filter((entry) => !found.includes(entry)),
  ];
  if (stray === undefined) return;
  throw refuse(
    op,
    `the net is not ${model} with the options ${JSON.stringify(options)}: they differ in ${stray}`,
    "pass the options that it was made with, or leave model out: then the net itself tells what it is",
  );
}

const defaultOf = ({ model, graph }: Named, channels: number) => {
  const published = graph || !list().includes(model) ? undefined : publishedPreprocessing(model);
  return published?.mean.length === channels ? published : imagenetPreprocessing(channels);
};

const refuse = (op: string, problem: string, fix: Fix): TensorError => invalidArgument(`${op}: ${problem}`, fix);
