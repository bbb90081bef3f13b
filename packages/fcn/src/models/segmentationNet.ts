import type { Device, nn, Tensor } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { classesOf } from "./graph/geometry/channels.js";
import { GraphNet } from "./graph/net.js";
import type { Graph } from "./graph/spec.js";
import type { HeadScores } from "./graph/tails.js";

/**
 * A net whose `forward` returns logits [N, classes, H, W], or a record of heads. The main head is `out`, or the first.
 */
export type SegmentationNet = nn.Module;

/** The logits of the main head: `out`, or the first head of a net without one. */
export function mainLogits(output: Tensor | Readonly<Record<string, Tensor>>): Tensor {
  if ("shape" in output) return output as Tensor;
  const heads = output as Readonly<Record<string, Tensor>>;
  return heads.out ?? (Object.values(heads)[0] as Tensor);
}

/** What a head gives by name, or the main head without a name. Throws if the net has no such head. */
export function ofHead<T>(outputs: Readonly<Record<string, T>>, head: string | undefined): T {
  const name = head ?? (Object.hasOwn(outputs, "out") ? "out" : Object.keys(outputs)[0]) ?? "";
  if (Object.hasOwn(outputs, name)) return outputs[name] as T;
  throw invalidArgument(
    `the net has no head ${JSON.stringify(head)}`,
    `use one of: ${Object.keys(outputs).join(", ")}`,
  );
}

/** The device that holds the net's tensors. */
export function deviceOf(model: SegmentationNet): Device {
  const [first] = Object.values(model.stateDict());
  if (first) return first.device;
  throw invalidArgument("the net has neither parameters nor buffers, so its device is unknown", {
    code: "pass a net from models.create, or a module with at least one layer that learns",
  });
}

/**
 * Whether a net runs its graph and nothing else, so that its work is the same for all inputs of one shape. What a
 * module of your own does is known to its code alone.
 */
export const runsGraphOnly = (model: SegmentationNet): boolean => model.forward === GraphNet.prototype.forward;

/** What a net gives by head; a single head is `out`. Logits if `asLogits`, or if the net's own code makes them. */
export function scoresOf(model: SegmentationNet, x: Tensor, asLogits: boolean): Record<string, HeadScores> {
  if (!asLogits && runsGraphOnly(model)) return (model as GraphNet).scores(x);
  const output = model.forward(x);
  const logits = "shape" in output ? { out: output as Tensor } : output;
  return Object.fromEntries(Object.entries(logits).map(([head, values]) => [head, { values }]));
}

/** Looks at the weights on which depends what {@link scoresOf} does; see {@link GraphNet.look}. */
export const lookAt = async (model: SegmentationNet): Promise<readonly boolean[]> =>
  model instanceof GraphNet ? model.look() : [];

/** The graph of a net, or undefined if the net is not a `GraphNet`. */
export const netGraph = (model: SegmentationNet): Graph | undefined =>
  model instanceof GraphNet ? model.graph : undefined;

/** The number of classes that a head scores, or undefined if the net does not tell. */
export function headClasses(model: SegmentationNet, head: string): number | undefined {
  const graph = netGraph(model);
  return graph && classesOf(graph, graph.outputs[head] ?? "");
}

/** The name of the main head: `out`, or the first head of a net without one; undefined if the net does not tell. */
export function mainHeadOf(model: SegmentationNet): string | undefined {
  const heads = Object.keys(netGraph(model)?.outputs ?? {});
  return heads.includes("out") ? "out" : heads[0];
}
