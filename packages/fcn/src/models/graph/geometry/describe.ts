import { kindOf, type Layer } from "../kinds/index.js";
import { foldGraph, type Graph, type Node } from "../spec.js";
import { type FeatureShape, geometryOf, type Plane } from "./shapes.js";

/** One row of `describeGraph`. */
export interface NodeSummary {
  readonly name: string;
  readonly kind: Layer["kind"];
  readonly inputs: readonly string[];
  readonly shape: FeatureShape;
  /**
   * Pixels of the image that one output value sees, vertically. Infinity, in JSON null, after a layer that normalises
   * or averages over the whole image.
   */
  readonly receptiveField: number;
  readonly cropOffset?: Plane;
}

/** Every node with its shape for an image of the given size, its receptive field and, for a crop, its offset. */
export function describeGraph(graph: Graph, height: number, width: number): NodeSummary[] {
  const { shapes, offsets } = geometryOf(graph)(height, width);
  const fields = receptiveFields(graph);
  return graph.nodes.map((node) => {
    const offset = offsets.get(node.name);
    return {
      name: node.name,
      kind: node.layer.kind,
      inputs: node.inputs,
      shape: shapes.get(node.name) ?? [0, 0, 0],
      receptiveField: fields.get(node.name)?.field ?? 1,
      ...(offset === undefined ? {} : { cropOffset: offset }),
    };
  });
}

/** Pixels that one value sees, and pixels between neighbouring values, vertically. */
interface Field {
  readonly field: number;
  readonly stride: number;
}

/** A kernel k' after a kernel k of stride s gives k + (k' - 1) s at stride s s' (section 3 of the FCN paper). */
const receptiveFields = (graph: Graph): Map<string, Field> => foldGraph(graph, { field: 1, stride: 1 }, fieldOf);

function fieldOf({ layer }: Node, inputs: readonly Field[]): Field {
  const [source, reference = source] = inputs as [Field, Field | undefined];
  const kind = kindOf(layer);
  const seen = kind.others === "reference" ? source.field : Math.max(...inputs.map(({ field }) => field));
  const field = kind.isGlobal ? Infinity : seen + (kind.width(layer, 0) - 1) * source.stride;
  const map = kind.map(layer, 0, 1);
  return { field, stride: map === "reference" ? reference.stride : (source.stride * map.scale.den) / map.scale.num };
}
