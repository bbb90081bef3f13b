import { invalidArgument } from "@fcn/tensor/internal";

/** Values on the host with their shape. */
export interface HostBlob {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Whether `shape` is dense [C, C, k, k] and `target` channel-wise [C, 1, k, k], or the other way round. */
export function isOtherForm(shape: readonly number[], target: readonly number[]): boolean {
  const [channels, wide, kh, kw] = shape;
  const [wantedChannels, wantedWide, wantedKh, wantedKw] = target;
  const sameFrame = shape.length === 4 && channels === wantedChannels && kh === wantedKh && kw === wantedKw;
  return sameFrame && wide !== wantedWide && [wide, wantedWide].includes(1) && [wide, wantedWide].includes(channels);
}

/**
 * Converts upsampling weights to the other form. Published weights are dense, with zeros between different classes.
 * Weights that mix classes have no channel-wise form, so they are refused.
 */
export function convertDeconvBlob(key: string, blob: HostBlob, target: readonly number[]): HostBlob {
  const [channels = 0, wide = 0, kh = 0, kw = 0] = blob.shape;
  const area = kh * kw;
  const targetWide = target[1] ?? 1;
  if (targetWide === 1) refuseMixing(key, blob, area);
  const data = new Float32Array(channels * targetWide * area);
  for (let c = 0; c < channels; c++) {
    const from = (c * wide + (wide === 1 ? 0 : c)) * area;
    const to = (c * targetWide + (targetWide === 1 ? 0 : c)) * area;
    for (let i = 0; i < area; i++) data[to + i] = blob.data[from + i] ?? 0;
  }
  return { dtype: "float32", shape: [...target], data };
}

function refuseMixing(key: string, blob: HostBlob, area: number): void {
  const channels = blob.shape[0] ?? 0;
  for (let i = 0; i < blob.data.length; i++) {
    const from = Math.floor(i / (channels * area));
    const to = Math.floor(i / area) % channels;
    if (from === to || blob.data[i] === 0) continue;
    throw invalidArgument(
      `loadStateDict ${key}: shape [${blob.shape.join(", ")}] mixes classes (class ${from} to ${to} has the weight ${blob.data[i]}), but this net upsamples each class by itself`,
      { code: "create the net with { dense: true }" },
    );
  }
}
