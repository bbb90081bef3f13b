import { slice, type Tensor } from "@fcn/tensor";
import { type Planes, planesOf } from "@fcn/tensor/internal";
import { checkChannels, type Preprocessing, sourceChannel } from "../../data/samples/preprocessing.js";
import type { DeviceImage } from "../seenImage.js";

/** An RGB image on the device, as pixels of four bytes: int32 [H, W]. */
export function pixelImage(pixels: Tensor): DeviceImage {
  const [height, width] = pixels.shape as readonly [number, number];
  const input: DeviceImage["input"] = (preprocessing, { top, left, ...size }) => {
    const isWhole = size.height === height && size.width === width;
    const part = isWhole
      ? pixels
      : slice(pixels, [
          [top, top + size.height],
          [left, left + size.width],
        ]);
    const planes = planesOf("predict", part, planesOfBytes(preprocessing), [1]);
    if (!isWhole) part.dispose();
    return planes;
  };
  return { height, width, input };
}

/** What `normaliseInto` makes of each of the 256 values of a byte, for every plane of an RGB image. */
function planesOfBytes(preprocessing: Preprocessing): Planes {
  checkChannels(3, preprocessing);
  const bytes = [0, 1, 2].map((c) => sourceChannel(c, 3, preprocessing));
  const table = Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const c = Math.floor(i / 256);
    return ((i % 256) - (preprocessing.mean[c] as number)) * (1 / (preprocessing.std[c] as number));
  });
  return { bytes, table };
}
