import type { Tensor } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import type { Message } from "../../encoding/protobuf.js";
import { inferChannels } from "../../models/graph/geometry/channels.js";
import { geometryOf } from "../../models/graph/geometry/shapes.js";
import { kindOf } from "../../models/graph/kinds/index.js";
import type { GraphNet, NetOutput } from "../../models/graph/net.js";
import { type Graph, inputNode, isInput } from "../../models/graph/spec.js";
import { convertLayer } from "./converters.js";
import { op, type Value } from "./expression.js";
import { OnnxGraph } from "./graph.js";
import { offsetValues } from "./offsets.js";
import { DATA_TYPE } from "./schema.js";

type StateDict = ReturnType<GraphNet["stateDict"]>;

/** The contents of an output: values [N, classes, H, W], or the class of each pixel [N, H, W]. */
export type HeadKind = "logits" | "softmax" | "argmax";

/** An input or output of the model. A variable dimension is given by its name. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly shape: readonly (number | string)[];
}

export interface NetGraphOptions {
  readonly head: HeadKind;
  /** [N, H, W] of the images. Default: any size. */
  readonly shape?: readonly [number, number, number] | undefined;
}

const HEADS: { readonly [K in HeadKind]: (logits: Value) => Value } = {
  logits: (logits) => logits,
  softmax: (logits) => op("Softmax", [logits], { axis: 1 }),
  argmax: (logits) => op("Cast", [op("ArgMax", [logits], { axis: 1, keepdims: 0 })], { to: DATA_TYPE.int32 }),
};

/** Returns a net as ONNX's GraphProto, with its inputs and outputs. */
export function netGraph(net: GraphNet<NetOutput>, options: NetGraphOptions) {
  const { graph } = net;
  const weights = net.stateDict();
  const { input, outputs } = describeEnds(graph, options);
  const onnx = new OnnxGraph([...Object.keys(weights), input.name, ...outputs.map(({ name }) => name)]);
  const { values, parameters } = addNodes(graph, onnx, input.name);
  for (const [head, node] of Object.entries(graph.outputs)) {
    onnx.addOutput(HEADS[options.head](values.get(node) as string), head);
  }
  const message: Message = {
    node: onnx.nodes,
    name: graph.name,
    initializer: [...[...parameters].map((name) => initializer(name, weights)), ...onnx.constants],
    input: valueInfo(input),
    output: outputs.map(valueInfo),
  };
  return { graph: message, input, outputs };
}

/** Adds every node, and returns the names of their values and of the weights they use. */
function addNodes(graph: Graph, onnx: OnnxGraph, image: string) {
  const values = new Map<string, string>();
  const parameters = new Set<string>();
  const offsetOf = offsetValues(graph);
  const valueNamed = (name: string): string => values.get(name) as string;
  for (const node of graph.nodes) {
    const inputs = isInput(node) ? [image] : node.inputs.map(valueNamed);
    const parameter = (own: string): string => {
      parameters.add(`${node.name}.${own}`);
      return `${node.name}.${own}`;
    };
    const offset = () => offsetOf(node, valueNamed);
    const context = { name: node.name, x: inputs[0] ?? "", inputs, parameter, offset };
    values.set(node.name, onnx.add(convertLayer(node.layer, context), node.name));
  }
  return { values, parameters };
}

function initializer(name: string, weights: StateDict): Message {
  const tensor = weights[name] as Tensor;
  const read = async (): Promise<Uint8Array> => {
    const data = await tensor.data();
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  const rawData = { byteLength: tensor.size * Float32Array.BYTES_PER_ELEMENT, read };
  return { dims: tensor.shape, dataType: DATA_TYPE.float32, name, rawData };
}

/** The input image and the output heads. */
function describeEnds(graph: Graph, { head, shape }: NetGraphOptions): { input: OnnxValue; outputs: OnnxValue[] } {
  const data = inputNode(graph);
  if (data === undefined) {
    throw invalidArgument(
      `exportOnnx: the graph ${graph.name} has no node of the kind input`,
      "begin the graph with an input node",
    );
  }
  const channels = inferChannels(graph);
  if (shape) checkValue("exportOnnx", "shape", shape, SHAPE);
  const [batch, height, width] = shape ?? ["batch", "height", "width"];
  const planes = shape && geometryOf(graph)(shape[1], shape[2]).shapes;
  const name = Object.hasOwn(graph.outputs, data.name) ? `${data.name}_in` : data.name;
  const input = { name, dtype: "float32", shape: [batch, data.layer.channels, height, width] } as const;
  const outputs = Object.entries(graph.outputs).map(([name, node]): OnnxValue => {
    const ownPlane = planeOwner(graph, node) === data.name ? [height, width] : [`${name}_height`, `${name}_width`];
    const plane = planes?.get(node)?.slice(1) ?? ownPlane;
    if (head === "argmax") return { name, dtype: "int32", shape: [batch, ...plane] };
    return { name, dtype: "float32", shape: [batch, channels.get(node) as number, ...plane] };
  });
  return { input, outputs };
}

/** Number, height and width of the images. */
const SHAPE = rules.listOf("three whole numbers of at least 1", rules.whole(1), 3);

/** The node that determines the height and width of a node's output. */
function planeOwner(graph: Graph, name: string): string {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  const [source, reference] = node?.inputs ?? [];
  if (node === undefined || source === undefined) return name;
  const { others, size } = kindOf(node.layer);
  if (others === "reference" && reference !== undefined) return planeOwner(graph, reference);
  return size ? name : planeOwner(graph, source);
}

function valueInfo({ name, dtype, shape }: OnnxValue): Message {
  const dim = shape.map((size) => (typeof size === "string" ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[dtype], shape: { dim } } } };
}
