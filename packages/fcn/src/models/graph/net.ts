import { croppedRule, type Device, nn, type Tensor, TensorError, type Upsampling } from "@fcn/tensor";
import { canUpsample, recording } from "@fcn/tensor/internal";
import { type Band, bandsOf, type Chain, chainsOf, runInBands } from "./bands.js";
import { inferChannels } from "./geometry/channels.js";
import { describeGraph, type NodeSummary } from "./geometry/describe.js";
import { type FeatureShape, type Geometry, geometryOf } from "./geometry/shapes.js";
import { BilinearUpsampling } from "./kinds/convTranspose.js";
import { kindOf } from "./kinds/index.js";
import { type Graph, inputChannels, isInput, type Node } from "./spec.js";
import { type Course, courseTo, runStage, type Stage, stagesOf } from "./stages.js";
import { type HeadScores, type Tail, tailsOf } from "./tails.js";
import { seedFor } from "./weights/initialise.js";

/** Logits [N, classes, H, W], or a record of them for several heads. */
export type NetOutput = Tensor | Record<string, Tensor>;

interface ChainedCourse extends Course {
  readonly chains: ReadonlyMap<number, Chain>;
}

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
  /** By head, those that there are. */
  readonly #tails: ReadonlyMap<string, Tail>;
  readonly #courses = new Map<string, ChainedCourse>();
  readonly #device: Device;

  constructor(device: Device, graph: Graph, seed: number) {
    super();
    this.graph = graph;
    this.#geometryOf = keepsLast(geometryOf(graph));
    this.#stages = stagesOf(graph);
    this.#tails = tailsOf(graph);
    this.#device = device;
    const channels = inferChannels(graph);
    for (const { name, layer, inputs } of graph.nodes) {
      const inChannels = channels.get(inputs[0] ?? "") ?? 0;
      const module = kindOf(layer).build?.(layer, { device, seed: seedFor(seed, name), inChannels });
      if (module === undefined) continue;
      this.#modules.set(name, module);
      this.registerModule(name, module);
    }
  }

  /**
   * The layers for an image of `height` x `width` pixels, as `models.describe` gives them by name. Throws if the image
   * is too small for the net.
   */
  describe({ height, width }: { readonly height: number; readonly width: number }): NodeSummary[] {
    return describeGraph(this.graph, height, width);
  }

  override forward(x: Tensor): Output {
    const logits = this.#run(x, this.graph.outputs);
    const heads = Object.keys(logits);
    return (heads.length === 1 && heads[0] === "out" ? logits.out : logits) as Output;
  }

  /**
   * As `forward`, but of a head that ends with bilinear upsampling the scores before it, and the upsampling as data.
   * See {@link upsamplings}.
   */
  scores(x: Tensor): Record<string, HeadScores> {
    this.#check(x);
    const rules = this.upsamplings(x.shape);
    const ends = Object.entries(this.graph.outputs).map(([head, node]) => {
      return [head, rules[head] ? (this.#tails.get(head) as Tail).scores : node] as const;
    });
    const values = this.#run(x, Object.fromEntries(ends));
    return Object.fromEntries(
      ends.map(([head]) => [head, { values: values[head] as Tensor, upsampling: rules[head] }]),
    );
  }

  /**
   * The bilinear upsampling, with the crop after it, that each head ends with for images of this shape [N, C, H, W].
   * Undefined where a head ends with something else, where the weights are learned, where they were loaded or changed
   * and {@link look} has not found them bilinear since, and where the device cannot bind as much at once.
   */
  upsamplings([n = 1, , height = 0, width = 0]: readonly number[]): Readonly<Record<string, Upsampling | undefined>> {
    const { shapes, offsets } = this.#geometryOf(height, width);
    const ruleOf = ({ scores, upsampling, crop }: Tail): Upsampling | undefined => {
      const [from, to] = [scores, upsampling.name].map((name) => shapes.get(name) as FeatureShape) as [
        FeatureShape,
        FeatureShape,
      ];
      const { layer, name } = upsampling;
      const whole = kindOf(layer).upsampling?.(layer, this.#modules.get(name), [from[1], from[2]], [to[1], to[2]]);
      const [top, left] = offsets.get(crop?.name ?? "") ?? [0, 0];
      const [, h, w] = shapes.get(crop?.name ?? name) as FeatureShape;
      const rule = whole && croppedRule(whole, { top, left, height: h, width: w });
      return rule && canUpsample(this.#device, [n, ...from], rule) ? rule : undefined;
    };
    return Object.fromEntries(
      Object.keys(this.graph.outputs).map((head) => {
        const tail = this.#tails.get(head);
        return [head, tail && ruleOf(tail)];
      }),
    );
  }

  /**
   * Looks at weights of upsampling that were loaded or changed; waits for the device only if there are any. Returns
   * whether each bilinear layer is fixed, on which depends what {@link scores} does.
   */
  async look(): Promise<readonly boolean[]> {
    const layers = [...this.#modules.values()].filter((module) => module instanceof BilinearUpsampling);
    for (const layer of layers) await layer.look();
    return layers.map(({ isFixed }) => isFixed);
  }

  /** The values of these nodes by head, from the stages that they depend on. */
  #run(x: Tensor, outputs: Graph["outputs"]): Record<string, Tensor> {
    const geometry = this.#check(x);
    const { stages, chains, lastUse } = this.#courseTo(outputs);
    const values = new Map<string, Tensor>();
    const moduleOf = ({ name }: Node) => this.#modules.get(name);
    for (let index = 0; index < stages.length; index++) {
      const stage = stages[index] as Stage;
      const inputs = isInput(stage.head) ? [x] : stage.inputs.map((name) => values.get(name) as Tensor);
      const chain = chains.get(index);
      const bands = chain && this.#bandsOf(chain, inputs[0] as Tensor, geometry);
      const value = bands
        ? runInBands(chain, bands, inputs[0] as Tensor, moduleOf)
        : runStage(stage, inputs, (node) => ({
            module: moduleOf(node),
            offset: geometry.offsets.get(node.name) ?? [0, 0],
          }));
      if (bands) index += chain.length - 1;
      const { name: made } = stages[index] as Stage;
      values.set(made, value);
      // Inference then holds a few layers instead of all, and training only what the tape keeps for the backward pass.
      for (const name of new Set([...stage.inputs, made])) {
        const last = values.get(name);
        if ((lastUse.get(name) ?? Infinity) > index || last === undefined) continue;
        values.delete(name);
        if (last !== x && ![...values.values()].includes(last)) last.dispose();
      }
    }
    return Object.fromEntries(
      Object.entries(outputs).map(([head, name]) => [head, values.get(name) as Tensor] as const),
    );
  }

  /** The bands in which a chain is to run on x; undefined if it is to run whole, as where gradients are recorded. */
  #bandsOf(chain: Chain, x: Tensor, { shapes }: Geometry): readonly Band[] | undefined {
    const modules = chain.flatMap(({ head, norm }) => [head, norm].map((node) => this.#modules.get(node?.name ?? "")));
    const isTraining = chain.some(({ norm }) => norm && this.#modules.get(norm.name)?.training);
    if (isTraining || recording([x, ...modules.flatMap((module) => module?.parameters() ?? [])])) return undefined;
    return bandsOf(chain, shapes, (x.shape[0] ?? 1) * (x.dtype === "float16" ? 2 : 4));
  }

  #courseTo(outputs: Graph["outputs"]): ChainedCourse {
    const key = Object.values(outputs).join();
    const known = this.#courses.get(key);
    if (known) return known;
    const course = courseTo(this.#stages, outputs);
    const chained = { ...course, chains: chainsOf(course.stages, outputs) };
    this.#courses.set(key, chained);
    return chained;
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

/** The geometry of images of one size is asked for several times in a pass, and again in the next. */
function keepsLast(of: (height: number, width: number) => Geometry): (height: number, width: number) => Geometry {
  let last: { readonly key: string; readonly geometry: Geometry } | undefined;
  return (height, width) => {
    const key = `${height}x${width}`;
    if (last?.key !== key) last = { key, geometry: of(height, width) };
    return last.geometry;
  };
}
