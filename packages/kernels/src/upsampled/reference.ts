import { at, build, type Nd } from "../nd.js";
import type { UpsampledGeometry } from "./plan.js";

/** One axis of {@link UpsampledGeometry}. */
interface Axis extends Pick<UpsampledGeometry, "after" | "clamped"> {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
  readonly before: number;
}

/** The shares [out, size] of the cells in the outputs. */
const matrix = ({ size, out, scale, before, after, clamped }: Axis): Nd =>
  build([out, size], ([o, i]) => {
    const place = (o! + before) * scale - after;
    return Math.max(0, 1 - Math.abs((clamped ? Math.min(Math.max(place, 0), size - 1) : place) - i!));
  });

/** x [N, C, H, W] upsampled as the geometry says, by a product with a matrix for each axis. */
export function upsampled(x: Nd, g: UpsampledGeometry): Nd {
  const { after, clamped } = g;
  const down = matrix({ size: g.inH, out: g.outH, scale: g.scaleH, before: g.beforeH, after, clamped });
  const across = matrix({ size: g.inW, out: g.outW, scale: g.scaleW, before: g.beforeW, after, clamped });
  const tall = build([g.n, g.channels, g.outH, g.inW], ([n, c, oy, ix]) => {
    let sum = 0;
    for (let iy = 0; iy < g.inH; iy++) sum += at(down, [oy!, iy]) * at(x, [n!, c!, iy, ix!]);
    return sum;
  });
  return build([g.n, g.channels, g.outH, g.outW], ([n, c, oy, ox]) => {
    let sum = 0;
    for (let ix = 0; ix < g.inW; ix++) sum += at(across, [ox!, ix]) * at(tall, [n!, c!, oy!, ix]);
    return sum;
  });
}
