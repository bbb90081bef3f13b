import type { Activation, nn, Tensor } from "@fcn/tensor";
import { boxOf } from "./kinds/crop.js";
import { kindOf, type LayerOf } from "./kinds/index.js";
import type { Fusion, RunContext } from "./kinds/kind.js";
import { frozenNorm } from "./kinds/norm.js";
import { type Graph, lastUses, type Node } from "./spec.js";

/**
 * What runs as one: a node, or a convolution or batch norm with what follows it, or a transposed convolution with the
 * crop after it, where nothing else reads the values in between.
 */
export interface Stage {
  /** The last node's. */
  readonly name: string;
  /** What the head reads, and then the other summand of a sum, or the image whose size a crop takes. */
  readonly inputs: readonly string[];
  readonly head: Node;
  /** The batch norm after a convolution. */
  readonly norm?: NormNode | undefined;
  readonly isSum: boolean;
  readonly activation?: Activation | undefined;
  /** The crop after a transposed convolution. */
  readonly crop?: Node | undefined;
}

type NormNode = Node & { readonly layer: LayerOf<"batchNorm"> };
type ActivationNode = Node & { readonly layer: LayerOf<Activation> };

const isConv = ({ layer }: Node): boolean => layer.kind === "conv";
const isNorm = (node: Node | undefined): node is NormNode => node?.layer.kind === "batchNorm";
const isActivation = (node: Node | undefined): node is ActivationNode =>
  node?.layer.kind === "relu" || node?.layer.kind === "relu6";
const isUpsampling = ({ layer }: Node): boolean => layer.kind === "convTranspose";
const isSumOfTwo = (node: Node | undefined): node is Node => node?.layer.kind === "add" && node.inputs.length === 2;

const isCropOf =
  ({ name }: Node) =>
  (node: Node | undefined): node is Node =>
    node?.layer.kind === "crop" && node.inputs[0] === name;

/** The stages of a graph in an order in which each comes after its inputs: where its last node stands. */
export function stagesOf(graph: Graph): readonly Stage[] {
  const readers = new Map<string, Node[]>(graph.nodes.map(({ name }) => [name, []]));
  for (const node of graph.nodes) for (const input of node.inputs) readers.get(input)?.push(node);
  const heads = new Set(Object.values(graph.outputs));
  const taken = new Set<Node>();
  /** The node that alone reads the value of another, if no other stage has it. */
  const readerOf = ({ name }: Node): Node | undefined => {
    const [reader, ...others] = readers.get(name) ?? [];
    return reader && others.length === 0 && !heads.has(name) && !taken.has(reader) ? reader : undefined;
  };

  const stages = new Map<Node, Stage>();
  // From the end, so that a sum of two results goes with the one that is there last.
  const fromEnd = [...graph.nodes].reverse();
  const convolutions = fromEnd.filter(isConv);
  // Each node is a head unless a stage that begins earlier has it.
  for (const head of [...convolutions, ...fromEnd.filter(isNorm), ...graph.nodes]) {
    if (taken.has(head)) continue;
    taken.add(head);
    let last = head;
    const followedBy = <N extends Node>(is: (node: Node | undefined) => node is N): N | undefined => {
      const next = readerOf(last);
      if (!is(next)) return undefined;
      taken.add(next);
      last = next;
      return next;
    };
    const fuses = isConv(head) || isNorm(head);
    const norm = isConv(head) ? followedBy(isNorm) : undefined;
    const before = last.name;
    const sum = fuses ? followedBy(isSumOfTwo) : undefined;
    const activation = fuses ? followedBy(isActivation)?.layer.kind : undefined;
    const crop = isUpsampling(head) ? followedBy(isCropOf(head)) : undefined;
    const others = (sum ?? crop)?.inputs.filter((input) => input !== before) ?? [];
    const inputs = [...head.inputs, ...others];
    stages.set(last, { name: last.name, inputs, head, norm, isSum: sum !== undefined, activation, crop });
  }
  return graph.nodes.flatMap((node) => stages.get(node) ?? []);
}

/** The stages that some nodes depend on, in order, and the index of the last one that uses each value. */
export interface Course {
  readonly stages: readonly Stage[];
  readonly lastUse: ReadonlyMap<string, number>;
}

/** The course to the nodes of `outputs`, each of which is the last of its stage. */
export function courseTo(all: readonly Stage[], outputs: Graph["outputs"]): Course {
  const wanted = new Set(Object.values(outputs));
  for (const { name, inputs } of [...all].reverse()) {
    if (wanted.has(name)) for (const input of inputs) wanted.add(input);
  }
  const stages = all.filter(({ name }) => wanted.has(name));
  return { stages, lastUse: lastUses({ nodes: stages, outputs }) };
}

/** Runs a stage on the values of its inputs; `contextOf` tells what else its nodes are run with. */
export function runStage(
  { head, norm, isSum, activation, crop }: Stage,
  inputs: readonly Tensor[],
  contextOf: (node: Node) => Pick<RunContext, "module" | "offset">,
): Tensor {
  const other = inputs.at(-1) as Tensor;
  const own = isSum || crop ? inputs.slice(0, -1) : inputs;
  const follows: Fusion = { residual: isSum ? other : undefined, activation };
  const run = (node: Node, from: readonly Tensor[], fusion: Fusion): Tensor =>
    kindOf(node.layer).run(node.layer, { x: from[0] as Tensor, inputs: from, ...contextOf(node), fusion });
  if (crop) return run(head, own, { crop: boxOf(contextOf(crop).offset, other) });
  if (!norm) return run(head, own, follows);
  const module = contextOf(norm).module as nn.BatchNorm2d;
  if (!module.training) return run(head, own, { ...follows, norm: frozenNorm(norm.layer, module) });
  using features = run(head, own, {});
  return run(norm, [features], follows);
}
