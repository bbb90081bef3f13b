import { type Device, nn, type Tensor, TensorError } from "@fcn/tensor";
import { inferChannels } from "./geometry/channels.js";
import { type Geometry, geometryOf } from "./geometry/shapes.js";
import { kindOf } from "./kinds/index.js";
import { type Graph, inputChannels, isInput, lastUses } from "./spec.js";
import { runStage, type Stage, stagesOf } from "./stages.js";
import { seedFor } from "./weights/initialise.js";

/** Logits [N, classes, H, W], or a record of them for several heads. */
export type NetOutput = Tensor | Record<string, Tensor>;

/**
 * A net that runs a graph. It takes [N, C, H, W] and returns the logits [N, classes, H, W]. If the graph has other
 * heads than a single `out`, it returns a record of them; then name the type, as in `GraphNet<Record<"out" | "aux",
 * Tensor>>`. Parameters are named after their nodes.
 */
export class GraphNet<Output extends NetOutput = Tensor> extends nn.Module {
  readonly graph: Graph;
  readonly #modules = new Map<string, nn.Module>();
  readonly #geometryOf: (height: number, width: number) => Geometry;
  readonly #stages: readonly Stage[];
  readonly #lastUse: ReadonlyMap<string, number>;

  constructor(device: Device, graph: Graph, seed: number) {
    super();
    this.graph = graph;
    this.#geometryOf = geometryOf(graph);
    this.#stages = stagesOf(graph);
    this.#lastUse = lastUses({ nodes: this.#stages, outputs: graph.outputs });
    const channels = inferChannels(graph);
    for (const { name, layer, inputs } of graph.nodes) {
      const inChannels = channels.get(inputs[0] ?? "") ?? 0;
      const module = kindOf(layer).build?.(layer, { device, seed: seedFor(seed, name), inChannels });
      if (module === undefined) continue;
      this.#modules.set(name, module);
      this.registerModule(name, module);
    }
  }

  override forward(x: Tensor): Output {
    const { offsets } = this.#check(x);
    const values = new Map<string, Tensor>();
    this.#stages.forEach((stage, index) => {
      const inputs = isInput(stage.head) ? [x] : stage.inputs.map((name) => values.get(name) as Tensor);
      const value = runStage(stage, inputs, ({ name }) => ({
        module: this.#modules.get(name),
        offset: offsets.get(name) ?? [0, 0],
      }));
      values.set(stage.name, value);
      this.#release(stage, index, values, x);
    });
    const heads = Object.entries(this.graph.outputs).map(([head, name]) => [head, values.get(name) as Tensor] as const);
    const [only] = heads;
    const single = heads.length === 1 && only?.[0] === "out";
    return (single ? only[1] : Object.fromEntries(heads)) as Output;
  }

  /**
   * Frees features after their last use. Inference then holds a few layers instead of all, and training only what the
   * tape keeps for the backward pass.
   */
  #release(stage: Stage, index: number, values: Map<string, Tensor>, x: Tensor): void {
    for (const name of new Set([...stage.inputs, stage.name])) {
      const value = values.get(name);
      if (this.#lastUse.get(name) !== index || value === undefined) continue;
      values.delete(name);
      const shared = [...values.values()].includes(value);
      if (!shared && value !== x) value.dispose();
    }
  }

  #check(x: Tensor): Geometry {
    const channels = inputChannels(this.graph);
    const [, given, height, width] = x.shape;
    if (x.shape.length !== 4 || given !== channels || height === undefined || width === undefined) {
      throw new TensorError({
        code: "invalid-shape",
        message: `${this.graph.name}: the input has shape [${x.shape.join(", ")}], but must be [N, ${channels}, H, W]`,
        fix:
          x.shape.length === 3 ? "add the batch dimension: x.reshape([1, ...x.shape])" : "pass images channels first",
      });
    }
    return this.#geometryOf(height, width);
  }

  /**
   * Adapts weights of another layout. A convolution also takes the weight [O, I * kh * kw] of the fully connected layer
   * it was cast from, whose values are in the same order. A channel-wise net takes dense upsampling weights ([C, C, k,
   * k], as published), and the other way round, if they do not mix classes. Converts host arrays only.
   */
  override stateAdapter(name: string, from: readonly number[]): nn.StateAdapter | undefined {
    const node = this.graph.nodes.find((candidate) => `${candidate.name}.weight` === name);
    const target = this.stateDict()[name]?.shape;
    return node && target && kindOf(node.layer).adapt?.(name, from, target);
  }

  /** Replaces a node's alias by its name. */
  override stateName(name: string): string {
    const end = name.lastIndexOf(".");
    const aliases = this.graph.aliases ?? {};
    const alias = name.slice(0, end);
    return Object.hasOwn(aliases, alias) ? `${aliases[alias]}${name.slice(end)}` : name;
  }
}
