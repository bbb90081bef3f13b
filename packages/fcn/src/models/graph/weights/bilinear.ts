import { invalidArgument } from "@fcn/tensor/internal";

/** Values of a kernel on the host, in logical order. */
export interface BilinearKernel {
  readonly dtype: "float32";
  readonly shape: [number, number, number, number];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * The weights of one row of bilinear upsampling, `kernelSize` of them: 1 - |i - c| / f with f = floor((k + 1) / 2) and
 * the centre c = f - 1 for an odd k, f - 0.5 for an even k.
 */
export function bilinearRow(kernelSize: number): Float64Array {
  const factor = Math.floor((kernelSize + 1) / 2);
  const centre = kernelSize % 2 === 1 ? factor - 1 : factor - 0.5;
  return Float64Array.from({ length: kernelSize }, (_, i) => 1 - Math.abs(i - centre) / factor);
}

/**
 * Weight [in, out, k, k] of a transposed convolution that upsamples bilinearly: channel i goes to channel i, the pairs
 * i != j are zero. With `outChannels` 1 every row holds the kernel: the channel-wise form, for `groups` = channels. For
 * upsampling by s the kernel size is 2s - s % 2. Source: `upsample_filt` and `interp` of the reference implementation's
 * `surgery.py`.
 *
 * Throws unless both channel numbers are equal or `outChannels` is 1, and unless all three are integers of at least 1.
 */
export function bilinearKernel(inChannels: number, outChannels: number, kernelSize: number): BilinearKernel {
  const given = `bilinearKernel(${inChannels}, ${outChannels}, ${kernelSize})`;
  if (![inChannels, outChannels, kernelSize].every((n) => Number.isInteger(n) && n >= 1)) {
    throw invalidArgument(
      `${given}: channels and kernel size must be integers of at least 1`,
      "pass three positive integers",
    );
  }
  if (inChannels !== outChannels && outChannels !== 1) {
    throw invalidArgument(
      `${given}: the number of input and output channels must be the same, or the output channels 1`,
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
