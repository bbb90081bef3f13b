import { bilinearRow, checkValues, invalidArgument, rules } from "@fcn/tensor/internal";

/** Values of a kernel on the host, in row-major order. */
export interface BilinearKernel {
  readonly dtype: "float32";
  readonly shape: [number, number, number, number];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * The weight [inChannels, outChannels, k, k] of a transposed convolution that upsamples bilinearly: channel i goes to
 * channel i, and the pairs i != j are zero. With `outChannels` 1, every row holds the kernel; this is the channel-wise
 * form, for `groups` = channels. To upsample by s, use the kernel size 2s - s % 2. Source: `upsample_filt` and `interp`
 * in the reference implementation's `surgery.py`.
 *
 * Throws `invalid-argument` unless all three are integers of at least 1 and `outChannels` is `inChannels` or 1.
 *
 * @example
 * ```ts
 * import { bilinearKernel } from "@fcn/core";
 * import { convTranspose2d, createDevice } from "@fcn/tensor";
 * const device = await createDevice();
 * const { data, shape } = bilinearKernel(3, 1, 4); // three channels, factor 2
 * const weight = device.tensor(data, shape);
 * const x = device.ones([1, 3, 8, 8]);
 * console.log(convTranspose2d(x, weight, null, { stride: 2, padding: 1, groups: 3 }).shape); // [1, 3, 16, 16]
 * device.destroy();
 * ```
 */
export function bilinearKernel(inChannels: number, outChannels: number, kernelSize: number): BilinearKernel {
  const size = rules.whole(1);
  checkValues("bilinearKernel", [
    ["inChannels", inChannels, size],
    ["outChannels", outChannels, size],
    ["kernelSize", kernelSize, size],
  ]);
  if (inChannels !== outChannels && outChannels !== 1) {
    throw invalidArgument(
      `bilinearKernel(${inChannels}, ${outChannels}, ${kernelSize}): the number of input and output channels must be the same, or the output channels 1`,
      `use bilinearKernel(${inChannels}, ${inChannels}, ${kernelSize}), or bilinearKernel(${inChannels}, 1, ${kernelSize}) with groups = ${inChannels}`,
    );
  }
  const data = new Float32Array(inChannels * outChannels * kernelSize * kernelSize);
  const kernel = outerProduct(bilinearRow(kernelSize));
  for (let i = 0; i < inChannels; i++) {
    const pair = outChannels === 1 ? i : i * outChannels + i;
    data.set(kernel, pair * kernel.length);
  }
  return { dtype: "float32", shape: [inChannels, outChannels, kernelSize, kernelSize], data };
}

function outerProduct(row: Float64Array): Float32Array {
  const n = row.length;
  return Float32Array.from({ length: n * n }, (_, i) => (row[Math.floor(i / n)] ?? 0) * (row[i % n] ?? 0));
}
