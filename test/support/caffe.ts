import protobuf from "protobufjs";

/** The parts of caffe.proto that hold weights, V1 and V2; packing is chosen by the caller. */
const schema = (packed: boolean) => `
syntax = "proto2";
message BlobShape { repeated int64 dim = 1 [packed = ${packed}]; }
message BlobProto {
  optional int32 num = 1; optional int32 channels = 2; optional int32 height = 3; optional int32 width = 4;
  repeated float data = 5 [packed = ${packed}];
  repeated float diff = 6 [packed = ${packed}];
  optional BlobShape shape = 7;
  repeated double double_data = 8 [packed = ${packed}];
}
message ParamSpec { optional string name = 1; optional float lr_mult = 3; }
message LayerParameter {
  optional string name = 1; optional string type = 2; repeated string bottom = 3; repeated string top = 4;
  repeated ParamSpec param = 6; repeated BlobProto blobs = 7;
}
message V1LayerParameter {
  optional bytes layer = 1; repeated string bottom = 2; repeated string top = 3; optional string name = 4; optional int32 type = 5;
  repeated BlobProto blobs = 6; repeated float blobs_lr = 7;
}
message NetParameter {
  optional string name = 1; repeated V1LayerParameter layers = 2; repeated string input = 3; repeated int32 input_dim = 4;
  repeated LayerParameter layer = 100;
}`;

/** The bytes of a .caffemodel. Field names are protobufjs's: camel case. */
export function caffemodel(net: Record<string, unknown>, { packed = true } = {}): Uint8Array {
  const type = protobuf.parse(schema(packed)).root.lookupType("NetParameter");
  const problem = type.verify(net);
  if (problem !== null) throw new Error(problem);
  return new Uint8Array(type.encode(type.create(net)).finish());
}
