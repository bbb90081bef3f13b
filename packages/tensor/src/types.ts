/** Type of the elements of a tensor on the GPU. */
export type DType = "float32" | "int32";
/** Elements of a float32 or int32 tensor on the host. */
export type TypedData = Float32Array | Int32Array;
/** Numbers nested as deep as the tensor has dimensions. */
export type Nested = number | Nested[];
