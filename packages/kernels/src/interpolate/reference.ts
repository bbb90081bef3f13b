import { at, build, type Nd, range } from "../nd.js";

/** x [N, C, H, W] resampled to outH x outW, each pixel from floor(out * size / outSize). */
export function nearest(x: Nd, outH: number, outW: number): Nd {
  const source = (o: number, size: number, out: number) => Math.min(Math.floor(o * Math.fround(size / out)), size - 1);
  return build([x.shape[0]!, x.shape[1]!, outH, outW], ([n, c, y, z]) =>
    at(x, [n!, c!, source(y!, x.shape[2]!, outH), source(z!, x.shape[3]!, outW)]),
  );
}

/**
 * x [N, C, H, W] resampled to outH x outW: the sum over all pixels of the tent function around the sampled position.
 */
export function bilinear(x: Nd, outH: number, outW: number, alignCorners: boolean): Nd {
  const position = (o: number, size: number, out: number) => {
    const p = alignCorners ? (out > 1 ? (o * (size - 1)) / (out - 1) : 0) : ((o + 0.5) * size) / out - 0.5;
    return Math.min(Math.max(p, 0), size - 1);
  };
  const tent = (d: number) => Math.max(0, 1 - Math.abs(d));
  return build([x.shape[0]!, x.shape[1]!, outH, outW], ([n, c, oy, ox]) => {
    const [py, px] = [position(oy!, x.shape[2]!, outH), position(ox!, x.shape[3]!, outW)];
    let sum = 0;
    for (const y of range(x.shape[2]!)) {
      for (const z of range(x.shape[3]!)) sum += at(x, [n!, c!, y, z]) * tent(py - y) * tent(px - z);
    }
    return sum;
  });
}
