import { TensorError } from "@fcn/tensor";
import {
  type Axis,
  along,
  type Extent,
  type Graph,
  type Layer,
  type LayerKind,
  type Node,
  type PaddedWindow,
  paddingAlong,
  padsSame,
} from "./spec.js";
import { nodeNamed } from "./subgraph.js";

/** Cells of the new grid to one of the old, vertically and horizontally. */
type Rate = readonly [number, number];

const AXES: readonly Axis[] = [0, 1];
const ONE: Rate = [1, 1];
const WINDOWS: ReadonlySet<LayerKind> = new Set(["conv", "maxPool", "avgPool"]);

/** Layers that have no form on a finer grid, and what to do instead. */
const REFUSED: Partial<Readonly<Record<LayerKind, string>>> = {
  avgPool: "leave the strides before it as they are: name other layers",
  convTranspose: "cut the graph in front of the upsampling: models.subgraph(graph, name)",
};

/**
 * The a trous form of a graph (section 3.2 of the FCN paper, "filter rarefaction"): the named layers get stride 1, and every later window is dilated,
 * and padded, by the strides that were taken out. The net then answers for every place what the strided net answers for one in f, f being
 * the product of those strides: the same as `shiftAndStitch`, at lower cost. Names and shapes of weights stay, and so do the
 * receptive fields. With zero padding inside the net the two differ where a receptive field reaches it.
 *
 * `layers` are convolutions and max-pools; all strided ones unless given. Throws for padding "same", for average pools and upsampling behind
 * a layer that lost its stride, and for sums of features on different grids.
 */
export function dilate(graph: Graph, layers?: readonly string[]): Graph {
  for (const name of layers ?? []) checkWindow(nodeNamed(graph, name, "dilate"));
  const rates = new Map<string, Rate>();
  const nodes = graph.nodes.map((node) => {
    const rate = rateBefore(node, rates);
    const chosen = WINDOWS.has(node.layer.kind) && (layers === undefined || layers.includes(node.name));
    const strides = strideOf(node.layer);
    rates.set(node.name, chosen ? [rate[0] * strides[0], rate[1] * strides[1]] : rate);
    return { ...node, layer: spread(node, rate, chosen) };
  });
  return { ...graph, nodes };
}

const strideOf = (layer: Layer): Rate => {
  const stride = "stride" in layer ? layer.stride : 1;
  return [along(stride, 0, 1), along(stride, 1, 1)];
};

function checkWindow({ name, layer }: Node): void {
  if (WINDOWS.has(layer.kind)) return;
  throw cannot(name, `it is a ${layer.kind}, which has no stride to take out`, "name convolutions and pools");
}

/** The rate of a node's inputs, which must agree. What only takes its size from another input lies on the grid of that one. */
function rateBefore({ name, layer, inputs }: Node, rates: ReadonlyMap<string, Rate>): Rate {
  const all = inputs.map((input) => rates.get(input) ?? ONE);
  const [first = ONE, second = first] = all;
  if (layer.kind === "resize" && inputs.length > 1) return second;
  const stray = all.findIndex((rate) => !same(rate, first));
  if (stray < 0) return first;
  const problem = `${inputs[0]} became ${first.join("x")} times as fine, ${inputs[stray]} ${all[stray]?.join("x")} times`;
  throw cannot(name, problem, "take the same strides out of both branches");
}

const same = (a: Rate, b: Rate): boolean => a[0] === b[0] && a[1] === b[1];

function spread({ name, layer }: Node, rate: Rate, chosen: boolean): Layer {
  const isWindow = WINDOWS.has(layer.kind);
  if (!same(rate, ONE)) {
    const remedy = REFUSED[layer.kind];
    const grows = layer.kind === "resize" && "scaleFactor" in layer;
    if (remedy !== undefined || grows) {
      const problem = `a ${layer.kind} cannot follow layers that lost their stride`;
      throw cannot(name, problem, remedy ?? (REFUSED.convTranspose as string));
    }
  }
  const moved = !same(rate, ONE) || (chosen && !same(strideOf(layer), ONE));
  if (moved && padsSame(layer)) {
    throw cannot(name, 'its padding "same" depends on its stride', "give the padding in numbers");
  }
  if (layer.kind === "pad") return { ...layer, padding: sides(layer, rate) };
  if (!isWindow) return layer;
  const window = layer as Extract<Layer, PaddedWindow>;
  const dilation = AXES.map((axis) => along(window.dilation, axis, 1) * (rate[axis] as number));
  return {
    ...window,
    ...(chosen ? { stride: 1 } : {}),
    ...(same(rate, ONE) ? {} : { dilation: dilation as unknown as Extent, padding: sides(window, rate) }),
  } as Layer;
}

function sides(layer: Layer & Partial<PaddedWindow>, rate: Rate): [[number, number], [number, number]] {
  const side = (axis: Axis): [number, number] => {
    const [before, after] = paddingAlong(layer, axis);
    return [before * rate[axis], after * rate[axis]];
  };
  return [side(0), side(1)];
}

function cannot(name: string, problem: string, fix: string): TensorError {
  return new TensorError({ code: "invalid-argument", message: `dilate ${name}: ${problem}`, fix });
}
