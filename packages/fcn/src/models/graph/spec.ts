import { invalidArgument } from "@fcn/tensor/internal";
import type { Layer, LayerOf } from "./kinds/index.js";

/** A named layer of a graph and its inputs. */
export interface Node {
  /** Unique; also the prefix of parameter names (`conv1_1` gives `conv1_1.weight`). Dots nest. */
  readonly name: string;
  readonly layer: Layer;
  /** Names of earlier nodes. */
  readonly inputs: readonly string[];
}

/**
 * A network as plain data. One graph drives the forward pass, the parameter names, the sizes and the crop offsets, so
 * that they cannot disagree.
 */
export interface Graph {
  readonly name: string;
  /** Sorted so that every node comes after its inputs. */
  readonly nodes: readonly Node[];
  /** Name of each head -> name of its node. With a single head called `out`, `forward` returns a tensor. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Extra labels (`SegmentationSample.more`) that a head learns from, by name; the other heads learn from `labels`. */
  readonly headLabels?: Readonly<Record<string, string>>;
  /** Names that other versions of a port use for a node: name there -> node. Their state dicts load too. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** The node of the main head: `out`, or the first head of a net without one (`sem` of the nets for SIFT Flow). */
export function mainHead({ outputs }: Graph): string {
  return outputs.out ?? Object.values(outputs)[0] ?? "";
}

type InputNode = Node & { readonly layer: LayerOf<"input"> };

export const isInput = (node: Node): node is InputNode => node.layer.kind === "input";

/** The node that takes the image, or undefined for a graph without one. */
export const inputNode = ({ nodes }: Graph): InputNode | undefined => nodes.find(isInput);

/** Channels of the images that a graph takes. */
export const inputChannels = (graph: Graph): number => inputNode(graph)?.layer.channels ?? 0;

/**
 * Computes a value for every node from those of its inputs; the input node gets `image`. Throws `invalid-argument` if
 * an input is not an earlier node.
 */
export function foldGraph<T>(graph: Graph, image: T, of: (node: Node, inputs: readonly T[]) => T): Map<string, T> {
  const values = new Map<string, T>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => {
      if (values.has(name)) return values.get(name) as T;
      throw invalidArgument(
        `graph: ${node.name} takes its input from ${name}, which no earlier node is called`,
        "list the nodes so that each comes after its inputs",
      );
    });
    values.set(node.name, of(node, isInput(node) ? [image] : inputs));
  }
  return values;
}

/**
 * Index of the last node that uses each value, or its own index if none does. Heads have no entry, because the caller
 * uses them.
 */
export function lastUses(graph: {
  readonly nodes: readonly Pick<Node, "name" | "inputs">[];
  readonly outputs: Graph["outputs"];
}): Map<string, number> {
  const uses = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const name of [node.name, ...node.inputs]) uses.set(name, index);
  });
  for (const head of Object.values(graph.outputs)) uses.delete(head);
  return uses;
}
