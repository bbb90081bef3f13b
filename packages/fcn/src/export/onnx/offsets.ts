import { invalidArgument } from "@fcn/tensor/internal";
import { kindOf, type Layer, type LayerOf } from "../../models/graph/kinds/index.js";
import { add, format, mul, type Rational, rational } from "../../models/graph/plane/rational.js";
import { type Axis, onBothAxes, type PaddedWindow } from "../../models/graph/plane/window.js";
import { foldGraph, type Graph, type Node } from "../../models/graph/spec.js";
import { ints, op, type Value } from "./expression.js";
import { paddingBefore, padsBySize, strideOf } from "./padding.js";

/**
 * The position of a node's pixels along one axis: the shift of `coordinates.CoordinateMap`, where the padding of inputs
 * padded by size is still unknown. It is the constant, plus each such node's leading padding times a factor.
 */
interface Shift {
  readonly constant: Rational;
  readonly factors: ReadonlyMap<string, Rational>;
}

const NONE: Shift = { constant: rational(0), factors: new Map() };

function plus(a: Shift, b: Shift, factor: Rational = rational(1)): Shift {
  const factors = new Map(a.factors);
  for (const [name, value] of b.factors) {
    const sum = add(factors.get(name) ?? rational(0), mul(value, factor));
    if (sum.num === 0) factors.delete(name);
    else factors.set(name, sum);
  }
  return { constant: add(a.constant, mul(b.constant, factor)), factors };
}

const isOpen = (layer: Layer): layer is LayerOf<"conv" | "maxPool" | "avgPool"> =>
  "padding" in layer && padsBySize(layer as PaddedWindow);

/** Follows the rules of `coordinateMaps`. */
function shiftOf({ name, layer }: Node, [source = NONE, reference = source]: readonly Shift[], axis: Axis): Shift {
  if (layer.kind === "crop") return layer.align === "topLeft" ? source : reference;
  const open = isOpen(layer);
  const closed: Layer = open ? { ...layer, padding: 0 } : layer;
  const map = kindOf(closed).map(closed, axis, 1);
  if (map === "reference") return reference;
  const factors = open ? new Map([[name, rational(1, strideOf(layer)[axis])]]) : NONE.factors;
  return plus({ constant: map.shift, factors }, source, map.scale);
}

/**
 * Returns a function for [top, left] of every crop as an int64 vector: constants, or, if inputs are padded by size,
 * values computed when the net runs. Throws if an offset can be a fraction.
 *
 * @param valueNamed the value of a node by name
 */
export function offsetValues(graph: Graph): (node: Node, valueNamed: (name: string) => Value) => Value {
  const shifts = onBothAxes((axis) => foldGraph(graph, NONE, (node, inputs) => shiftOf(node, inputs, axis)));
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return (node, valueNamed) => {
    const [source = "", reference = ""] = node.inputs;
    if (node.layer.kind === "crop" && node.layer.align === "topLeft") return ints(0, 0);
    const offset = shifts.map((known) => plus(known.get(source) ?? NONE, known.get(reference) ?? NONE, rational(-1)));
    const open = new Set(offset.flatMap(({ factors }) => [...factors.keys()]));
    let value: Value = whole(node, ...offset.map(({ constant }) => constant));
    for (const name of open) {
      const { layer, inputs } = nodes.get(name) as Node & { readonly layer: PaddedWindow };
      const factors = whole(node, ...offset.map((along) => along.factors.get(name) ?? rational(0)));
      value = op("Add", [value, op("Mul", [paddingBefore(layer, valueNamed(inputs[0] ?? "")), factors])]);
    }
    return value;
  };
}

function whole(node: Node, ...values: readonly Rational[]): Value {
  if (values.every(({ den }) => den === 1)) return ints(...values.map(({ num }) => num));
  throw invalidArgument(
    `exportOnnx: crop ${node.name} lies at ${values.map(format).join(" and ")} pixels, or at a multiple of that, for some sizes of the image`,
    "change a kernel size by one or a padding so that the offset is a whole number for all sizes",
  );
}
