import type { RandomSource } from "../random.js";
import type { RasterImage } from "../sample.js";
import type { ColourJitter } from "./options.js";

type Rgb = [red: number, green: number, blue: number];

/** Changes the first three channels at random; a picture of fewer keeps its values. Formulas as in torchvision's ColorJitter. */
export function changeColours(
  image: RasterImage,
  { brightness = 0, contrast = 0, saturation = 0, hue = 0 }: ColourJitter,
  random: RandomSource,
): RasterImage {
  const draw = (reach: number): number => (2 * random() - 1) * reach;
  const [light, spread, strength, turn] = [1 + draw(brightness), 1 + draw(contrast), 1 + draw(saturation), draw(hue)];
  const { channels } = image;
  if (channels < 3) return image;
  const data = image.data.slice();
  const grey = light * meanGrey(image);
  for (let at = 0; at < data.length; at += channels) {
    let rgb: Rgb = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    rgb = blend(rgb, 0, light);
    rgb = blend(rgb, grey, spread);
    rgb = blend(rgb, greyOf(rgb), strength);
    if (hue > 0) rgb = turnHue(rgb, turn);
    for (let c = 0; c < 3; c++) data[at + c] = data instanceof Uint8Array ? Math.round(rgb[c]!) : rgb[c]!;
  }
  return { ...image, data };
}

const greyOf = ([red, green, blue]: Rgb): number => 0.299 * red + 0.587 * green + 0.114 * blue;

function meanGrey({ data, channels }: RasterImage): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += channels) {
    sum += greyOf([data[at] as number, data[at + 1] as number, data[at + 2] as number]);
  }
  return sum / (data.length / channels);
}

/** `factor` times the way from `from` to the colour, within 0 to 255. */
function blend(rgb: Rgb, from: number, factor: number): Rgb {
  if (factor === 1) return rgb;
  return rgb.map((value) => Math.min(255, Math.max(0, from + (value - from) * factor))) as Rgb;
}

/** Turns the hue of HSV by `turn` of the circle; value and saturation stay. */
function turnHue([red, green, blue]: Rgb, turn: number): Rgb {
  const most = Math.max(red, green, blue);
  const chroma = most - Math.min(red, green, blue);
  if (chroma === 0) return [red, green, blue];
  const sector =
    most === red ? (green - blue) / chroma : most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
  const turned = sector + 6 * turn + 6;
  // Each channel falls from the value by the chroma over two sectors of the circle.
  const channel = (offset: number): number => {
    const k = (offset + turned) % 6;
    return most - chroma * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}
