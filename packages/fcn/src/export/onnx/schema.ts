import type { Schema } from "../../encoding/protobuf.js";

/** The subset of onnx.proto (github.com/onnx/onnx) that a net needs. */
export const SCHEMA = {
  Model: {
    irVersion: [1, "int"],
    producerName: [2, "string"],
    graph: [7, "Graph"],
    opsetImport: [8, "OperatorSet"],
    metadataProps: [14, "StringEntry"],
  },
  OperatorSet: { domain: [1, "string"], version: [2, "int"] },
  StringEntry: { key: [1, "string"], value: [2, "string"] },
  Graph: {
    node: [1, "Node"],
    name: [2, "string"],
    initializer: [5, "Tensor"],
    input: [11, "ValueInfo"],
    output: [12, "ValueInfo"],
  },
  Node: {
    input: [1, "string"],
    output: [2, "string"],
    name: [3, "string"],
    opType: [4, "string"],
    attribute: [5, "Attribute"],
  },
  Attribute: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int"],
    s: [4, "string"],
    ints: [8, "int"],
    type: [20, "int"],
  },
  Tensor: { dims: [1, "int"], dataType: [2, "int"], name: [8, "string"], rawData: [9, "bytes"] },
  ValueInfo: { name: [1, "string"], type: [2, "Type"] },
  Type: { tensorType: [1, "TensorType"] },
  TensorType: { elemType: [1, "int"], shape: [2, "Shape"] },
  Shape: { dim: [1, "Dimension"] },
  Dimension: { dimValue: [1, "int"], dimParam: [2, "string"] },
} as const satisfies Schema;

/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** TensorProto.DataType */
export const DATA_TYPE = { float32: 1, int32: 6, int64: 7 } as const;
