import { type Device, nn, type Tensor, TensorError } from "@fcn/tensor";
import { cropOffsets } from "../../coordinates.js";
import { convertDeconvBlob, type HostBlob, isOtherForm } from "./deconvBlobs.js";
import { inferChannels, inferShapes } from "./geometry.js";
import { buildLayer, runLayer } from "./layers.js";
import type { Graph, Node } from "./spec.js";

/**
 * A net that runs a graph. Input [N, C, H, W]; output the logits [N, classes, H, W], or a record of them by head where the graph has
 * several. Its parameters are called after the nodes.
 */
export class GraphNet extends nn.Module {
  readonly graph: Graph;
  readonly #layers = new Map<string, nn.Module>();
  readonly #offsets: ReadonlyMap<string, readonly [number, number]>;
  readonly #lastUse: ReadonlyMap<string, number>;

  constructor(device: Device, graph: Graph, seed: number) {
    super();
    this.graph = graph;
    this.#offsets = cropOffsets(graph);
    this.#lastUse = lastUses(graph);
    const channels = inferChannels(graph);
    for (const node of graph.nodes) {
      const inChannels = channels.get(node.inputs[0] ?? "") ?? 0;
      const layer = buildLayer(node, { device, seed, inChannels });
      if (layer === undefined) continue;
      this.#layers.set(node.name, layer);
      this.registerModule(node.name, layer);
    }
  }

  override forward(x: Tensor): Tensor {
    this.#check(x);
    const values = new Map<string, Tensor>();
    const pinned = new Set<Tensor>([x]);
    this.graph.nodes.forEach((node, index) => {
      const inputs = node.layer.kind === "input" ? [x] : node.inputs.map((name) => values.get(name) as Tensor);
      const value = runLayer(node.layer, {
        inputs,
        module: this.#layers.get(node.name),
        offset: this.#offsets.get(node.name) ?? [0, 0],
      });
      values.set(node.name, value);
      // A backward pass may need the inputs of every node that takes part in it.
      if (value.requiresGrad) for (const input of inputs) pinned.add(input);
      this.#release(node, index, values, pinned);
    });
    return values.get(this.graph.outputs.out as string) as Tensor;
  }

  /** Frees features behind their last use, so that inference holds a few layers instead of all. */
  #release(node: Node, index: number, values: Map<string, Tensor>, pinned: ReadonlySet<Tensor>): void {
    for (const name of new Set(node.inputs)) {
      const value = values.get(name);
      if (this.#lastUse.get(name) !== index || value === undefined) continue;
      values.delete(name);
      const shared = [...values.values()].includes(value);
      if (!shared && !pinned.has(value)) value.dispose();
    }
  }

  #check(x: Tensor): void {
    const input = this.graph.nodes[0]?.layer;
    const channels = input?.kind === "input" ? input.channels : 0;
    const [, given, height, width] = x.shape;
    if (x.shape.length !== 4 || given !== channels || height === undefined || width === undefined) {
      throw new TensorError({
        code: "invalid-shape",
        message: `${this.graph.name}: the input has shape [${x.shape.join(", ")}], but must be [N, ${channels}, H, W]`,
        fix:
          x.shape.length === 3 ? "add the batch dimension: x.reshape([1, ...x.shape])" : "pass images channels first",
      });
    }
    inferShapes(this.graph, height, width);
  }

  /**
   * Upsampling weights may also come dense ([C, C, k, k], as published) for a channel-wise net and the other way round, as long as they keep
   * the classes apart. Only host arrays are converted.
   */
  override stateAdapter(name: string, from: readonly number[]): nn.StateAdapter | undefined {
    const node = this.graph.nodes.find((candidate) => `${candidate.name}.weight` === name);
    const target = this.stateDict()[name]?.shape;
    if (node?.layer.kind !== "convTranspose" || target === undefined || !isOtherForm(from, target)) return undefined;
    return (blob) => convertDeconvBlob(name, blob as HostBlob, target);
  }
}

/** Index of the node that uses each value last; heads are used by the caller and have none. */
function lastUses(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const name of node.inputs) uses.set(name, index);
  });
  for (const head of Object.values(graph.outputs)) uses.delete(head);
  return uses;
}
