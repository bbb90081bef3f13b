import * as ort from "onnxruntime-web";
import protobuf from "protobufjs";
import type { HostTensor } from "./golden.js";

// One thread: more would need workers, which outlive the tests.
ort.env.wasm.numThreads = 1;

/** A model that onnxruntime has loaded. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(image: HostTensor): Promise<Record<string, HostTensor>>;
  release(): Promise<void>;
}

/** Loads a model on the CPU; throws what onnxruntime has to say against it. */
export async function openOnnx(model: Uint8Array): Promise<Session> {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: async ({ data, shape }) => {
      const input = new ort.Tensor("float32", data as Float32Array, shape);
      const results = await session.run({ [session.inputNames[0] as string]: input });
      return Object.fromEntries(
        Object.entries(results).map(([name, { type, dims, data: values }]) => {
          if (type !== "float32" && type !== "int32") throw new Error(`output ${name} is ${type}`);
          return [name, { dtype: type, shape: dims, data: values as Float32Array | Int32Array }];
        }),
      );
    },
    release: () => session.release(),
  };
}

/** From onnx.proto: the messages that a net may hold, written down anew so that a wrong number in the library shows. */
const PROTO = `
syntax = "proto2";
message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2; optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3; optional string op_type = 4;
  repeated AttributeProto attribute = 5; optional string domain = 7;
}
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4; repeated float floats = 7;
  repeated int64 ints = 8; optional int32 type = 20;
}
message TensorProto { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message TypeProto { optional TensorType tensor_type = 1; }
message TensorType { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
`;

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly { readonly name: string; readonly type: number; readonly [value: string]: unknown }[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
}

interface OnnxEnd {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly { readonly dimValue?: number; readonly dimParam?: string }[] };
    };
  };
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly OnnxNode[];
    readonly initializer: readonly OnnxTensor[];
    readonly input: readonly OnnxEnd[];
    readonly output: readonly OnnxEnd[];
  };
}

const ModelProto = protobuf.parse(PROTO).root.lookupType("ModelProto");

/** The model as data, by Google's format as protobufjs reads it. */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  return ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true }) as OnnxModel;
}

/** Sizes of an input or output, names for those that vary. */
export const sizesOf = (end: OnnxEnd): (number | string | undefined)[] =>
  end.type.tensorType.shape.dim.map(({ dimParam, dimValue }) => dimParam ?? dimValue);

const BYTES: Readonly<Record<number, number>> = { 1: 4, 6: 4, 7: 8 };

/** What is wrong with the form of a model: one line each. */
export function structuralFaults({ graph }: OnnxModel): string[] {
  const faults: string[] = [];
  const defined = new Set<string>();
  const used = new Set<string>();
  const define = (name: string, by: string): void => {
    if (name === "" || defined.has(name)) faults.push(`${by} defines "${name}" again, or without a name`);
    defined.add(name);
  };
  for (const { name } of graph.input) define(name, "the graph");
  for (const { name, dims, dataType, rawData } of graph.initializer) {
    define(name, "an initializer");
    const bytes = dims.reduce((a, b) => a * b, BYTES[dataType] ?? Number.NaN);
    if (rawData.length !== bytes)
      faults.push(`initializer ${name} has ${rawData.length} bytes, its shape needs ${bytes}`);
  }
  const nodeNames = new Set<string>();
  for (const { name, opType, input, output, attribute } of graph.node) {
    if (name === "" || nodeNames.has(name)) faults.push(`two nodes are called "${name}"`);
    nodeNames.add(name);
    for (const source of input.filter((value) => value !== "")) {
      used.add(source);
      if (!defined.has(source)) faults.push(`${opType} ${name} takes ${source}, which nothing before it defines`);
    }
    for (const value of output) define(value, `${opType} ${name}`);
    if (new Set(attribute.map((entry) => entry.name)).size !== attribute.length)
      faults.push(`${name} repeats an attribute`);
  }
  for (const { name } of graph.output) {
    used.add(name);
    if (!defined.has(name)) faults.push(`nothing defines the output ${name}`);
  }
  for (const name of defined) if (!used.has(name)) faults.push(`nothing uses ${name}`);
  return faults;
}
