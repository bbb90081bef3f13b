import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import type { Layer, LayerOf } from "./kinds/index.js";

export interface Node {
  /** Unique; also the prefix of the parameters' names (`conv1_1` gives `conv1_1.weight`). Dots nest. */
  readonly name: string;
  readonly layer: Layer;
  /** Names of earlier nodes. */
  readonly inputs: readonly string[];
}

/**
 * A network as plain data. One graph drives the forward pass, the parameter names, the sizes and the crop offsets, so
 * that none of these can disagree.
 */
export interface Graph {
  readonly name: string;
  /** In an order in which every node comes after its inputs. */
  readonly nodes: readonly Node[];
  /**
   * Name of a head -> name of the node that carries it. One head called `out` makes `forward` return a single tensor.
   */
  readonly outputs: Readonly<Record<string, string>>;
  /**
   * Heads that learn from an extra label map of the samples (`SegmentationSample.more`), by the map's name; others
   * learn from `labels`.
   */
  readonly headLabels?: Readonly<Record<string, string>>;
  /** Names that other versions of a port have for a node: name there -> node. Their state dicts load too. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/**
 * The node that carries the main head: `out`, or the first head of a net without one (`sem` of the nets for SIFT Flow).
 */
export function mainHead({ outputs }: Graph): string {
  return outputs.out ?? Object.values(outputs)[0] ?? "";
}

type InputNode = Node & { readonly layer: LayerOf<"input"> };

export const isInput = (node: Node): node is InputNode => node.layer.kind === "input";

/** The node at which the image goes in; undefined for a graph without one. */
export const inputNode = ({ nodes }: Graph): InputNode | undefined => nodes.find(isInput);

/** Channels of the images that a graph takes. */
export const inputChannels = (graph: Graph): number => inputNode(graph)?.layer.channels ?? 0;

/**
 * A value for every node, each made from those of its inputs; the input node is given `image`. Throws
 * `invalid-argument` where an input is no earlier node.
 */
export function foldGraph<T>(graph: Graph, image: T, of: (node: Node, inputs: readonly T[]) => T): Map<string, T> {
  const values = new Map<string, T>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => {
      if (!values.has(name)) throw unknownInput(name, node.name);
      return values.get(name) as T;
    });
    values.set(node.name, of(node, isInput(node) ? [image] : inputs));
  }
  return values;
}

function unknownInput(name: string, wantedBy: string): TensorError {
  return invalidArgument(
    `graph: ${wantedBy} takes its input from ${name}, which no earlier node is called`,
    "list the nodes so that each comes after its inputs",
  );
}

/** Index of the node that uses each value last, its own where none does; heads are used by the caller and have none. */
export function lastUses(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const name of [node.name, ...node.inputs]) uses.set(name, index);
  });
  for (const head of Object.values(graph.outputs)) uses.delete(head);
  return uses;
}
