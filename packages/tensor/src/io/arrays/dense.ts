/** Elements of equal size, to be addressed by a shape and strides (in elements, from `offset`). */
export interface Strided {
  readonly bytes: ArrayBuffer;
  readonly offset: number;
  readonly strides: readonly number[];
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}

/** Copies elements of 1, 2, 4 or 8 bytes bit for bit. */
export function copyStrided(shape: readonly number[], itemSize: number, from: Strided, to: Strided): void {
  if (shape.includes(0)) return;
  // 8 bytes are copied as two words: a float64 could lose the bits of a NaN.
  if (itemSize === 8) {
    const words = ({ bytes, offset, strides }: Strided): Strided => ({
      bytes,
      offset: offset * 2,
      strides: [...strides.map((stride) => stride * 2), 1],
    });
    copyStrided([...shape, 2], 4, words(from), words(to));
    return;
  }
  const Words = itemSize === 4 ? Uint32Array : itemSize === 2 ? Uint16Array : Uint8Array;
  const [source, target] = [new Words(from.bytes), new Words(to.bytes)];
  const inner = shape.length - 1;
  const copy = (dim: number, at: number, out: number): void => {
    const [step, outStep] = [from.strides[dim] ?? 0, to.strides[dim] ?? 0];
    const count = shape[dim] ?? 1;
    if (dim < inner) for (let i = 0; i < count; i++) copy(dim + 1, at + i * step, out + i * outStep);
    else for (let i = 0; i < count; i++) target[out + i * outStep] = source[at + i * step]!;
  };
  copy(0, from.offset, to.offset);
}

/** Reverses the bytes of each element in place. */
export function swapBytes(bytes: ArrayBuffer, itemSize: number): void {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < data.length; at += itemSize) {
    for (let i = at, j = at + itemSize - 1; i < j; i++, j--) [data[i], data[j]] = [data[j]!, data[i]!];
  }
}
