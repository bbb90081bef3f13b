import type { Message } from "../../encoding/protobuf.js";
import type { Attribute, Constant, Op, Value } from "./expression.js";
import { ATTRIBUTE_TYPE, DATA_TYPE } from "./schema.js";

/**
 * Collects the nodes and constants of an ONNX graph from expressions, in an order where each node follows its inputs.
 */
export class OnnxGraph {
  readonly nodes: Message[] = [];
  readonly constants: Message[] = [];
  readonly #names: Set<string>;
  readonly #constants = new Map<string, string>();
  readonly #ops = new Map<Op, string>();

  /** @param reserved names that belong to other values */
  constructor(reserved: Iterable<string>) {
    this.#names = new Set(reserved);
  }

  /**
   * Adds a value with everything it depends on and returns its name. For an operator that is `name`, or a variant if
   * `name` is taken.
   */
  add(value: Value, name: string): string {
    if (typeof value === "string") return value;
    return "type" in value ? this.#addOp(value, name) : this.#addConstant(value);
  }

  /** Adds a value under a reserved name. */
  addOutput(value: Value, name: string): void {
    this.nodes.push({ input: [this.add(value, `${name}/value`)], output: name, name, opType: "Identity" });
  }

  #addOp(op: Op, wanted: string): string {
    const known = this.#ops.get(op);
    if (known !== undefined) return known;
    const input = op.inputs.map((value) => this.add(value, `${wanted}/${nameOf(value)}`));
    const name = this.#unique(wanted);
    const attribute = Object.entries(op.attributes).map(([key, value]) => encodeAttribute(key, value));
    this.nodes.push({ input, output: name, name, opType: op.type, attribute });
    this.#ops.set(op, name);
    return name;
  }

  #addConstant({ dtype, shape, values }: Constant): string {
    const content = `${dtype}[${shape.join(",")}] ${values.join(",")}`;
    const known = this.#constants.get(content);
    if (known !== undefined) return known;
    const data = dtype === "int64" ? BigInt64Array.from(values, (value) => BigInt(value)) : Float32Array.from(values);
    const name = this.#unique(`constant_${this.#constants.size}`);
    const rawData = new Uint8Array(data.buffer);
    this.constants.push({ dims: shape, dataType: DATA_TYPE[dtype], name, rawData });
    this.#constants.set(content, name);
    return name;
  }

  #unique(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#names.has(name); i++) name = `${wanted}_${i}`;
    this.#names.add(name);
    return name;
  }
}

const nameOf = (value: Value): string => (typeof value === "object" && "type" in value ? value.type : "");

function encodeAttribute(name: string, value: Attribute): Message {
  if (typeof value === "number") return { name, i: value, type: ATTRIBUTE_TYPE.int };
  if (typeof value === "string") return { name, s: value, type: ATTRIBUTE_TYPE.string };
  if ("float" in value) return { name, f: value.float, type: ATTRIBUTE_TYPE.float };
  return { name, ints: value, type: ATTRIBUTE_TYPE.ints };
}
