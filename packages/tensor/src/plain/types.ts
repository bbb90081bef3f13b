export type DType = "float32" | "int32";
export type TypedData = Float32Array | Int32Array;
/** Numbers nested as deep as the tensor has dimensions. */
export type Nested = number | Nested[];
