import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf, type Layer } from "./kinds/index.js";
import type { Rate } from "./kinds/kind.js";
import { along, onBothAxes, padsSame } from "./plane/window.js";
import { foldGraph, type Graph, type Node } from "./spec.js";
import { nodeNamed } from "./subgraph.js";

const ONE: Rate = [1, 1];

/**
 * The à trous form of a graph ("filter rarefaction", section 3.2 of the FCN paper). The named layers get stride 1, and
 * every later window is dilated and padded by the removed strides. With f the product of those strides, the net then
 * gives f times as many values along each axis: the same as `shiftAndStitch`, at lower cost. Names, weight shapes and
 * receptive fields stay the same. The two differ only where a receptive field reaches zero padding inside the net.
 *
 * `layers` are convolutions and max-pools; default: all strided ones. Throws `invalid-argument` for padding "same", for
 * average pools and upsampling after a layer that lost its stride, and for sums of features on different grids.
 */
export function dilate(graph: Graph, layers?: readonly string[]): Graph {
  for (const name of layers ?? []) checkStride(nodeNamed(graph, name, "dilate"));
  const dilated = new Map<string, Layer>();
  foldGraph<Rate>(graph, ONE, (node, inputs) => {
    const { name, layer } = node;
    const rate = rateBefore(node, inputs);
    const isChosen = kindOf(layer).isStrided && (layers?.includes(name) ?? true);
    const taken = isChosen ? strideOf(layer) : ONE;
    dilated.set(name, onFinerGrid(node, rate, taken, isChosen));
    return [rate[0] * taken[0], rate[1] * taken[1]];
  });
  return { ...graph, nodes: graph.nodes.map((node) => ({ ...node, layer: dilated.get(node.name) as Layer })) };
}

const strideOf = (layer: Layer): Rate =>
  onBothAxes((axis) => along("stride" in layer ? layer.stride : undefined, axis, 1));

function checkStride({ name, layer }: Node): void {
  if (kindOf(layer).isStrided) return;
  throw cannot(name, `it is a ${layer.kind}, which has no stride to take out`, "name convolutions and pools");
}

/** The rate of a node's inputs, which must agree. A layer whose output lies on a reference has the reference's rate. */
function rateBefore({ name, layer, inputs }: Node, rates: readonly Rate[]): Rate {
  const [first = ONE, second = first] = rates;
  if (kindOf(layer).map(layer, 0, 1) === "reference") return second;
  const stray = rates.findIndex((rate) => !same(rate, first));
  if (stray < 0) return first;
  const problem = `${inputs[0]} became ${first.join("x")} times as fine, ${inputs[stray]} ${rates[stray]?.join("x")} times`;
  throw cannot(name, problem, "take the same strides out of both branches");
}

const same = (a: Rate, b: Rate): boolean => a[0] === b[0] && a[1] === b[1];

function onFinerGrid({ name, layer }: Node, rate: Rate, taken: Rate, isChosen: boolean): Layer {
  if (padsSame(layer) && !(same(rate, ONE) && same(taken, ONE))) {
    throw cannot(name, 'its padding "same" depends on its stride', "give the padding in numbers");
  }
  const own = isChosen ? ({ ...layer, stride: 1 } as Layer) : layer;
  if (same(rate, ONE)) return own;
  const finer = kindOf(own).dilate(own, rate);
  if (typeof finer !== "string") return finer;
  throw cannot(name, `a ${layer.kind} cannot follow layers that lost their stride`, finer);
}

function cannot(name: string, problem: string, fix: string): TensorError {
  return invalidArgument(`dilate ${name}: ${problem}`, fix);
}
