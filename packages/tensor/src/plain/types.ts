/** Type of the elements of a tensor on the GPU. */
export type DType = "float32" | "float16" | "int32";
/** The dtypes, for options. */
export const DTYPES: readonly DType[] = ["float32", "float16", "int32"];
export const bytesPerElement = (dtype: DType): number => (dtype === "float16" ? 2 : 4);
/** Elements of a tensor on the host; those of a float16 tensor are floats there. */
export type TypedData = Float32Array | Int32Array;
/** Numbers nested as deep as the tensor has dimensions. */
export type Nested = number | Nested[];
