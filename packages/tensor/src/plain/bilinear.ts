/**
 * The `kernelSize` weights of one row of bilinear upsampling: 1 - |i - c| / f with f = floor((k + 1) / 2) and the
 * centre c = f - 1 for odd k, f - 0.5 for even k.
 */
export function bilinearRow(kernelSize: number): Float64Array {
  const factor = Math.floor((kernelSize + 1) / 2);
  const centre = kernelSize % 2 === 1 ? factor - 1 : factor - 0.5;
  return Float64Array.from({ length: kernelSize }, (_, i) => 1 - Math.abs(i - centre) / factor);
}
