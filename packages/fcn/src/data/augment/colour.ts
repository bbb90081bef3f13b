import type { RasterImage } from "../../labels/sample.js";
import type { RandomSource } from "../random.js";
import type { ColourJitter } from "./augmentation.js";

/**
 * Changes the first three channels at random, with the formulas of torchvision's ColorJitter. Images with fewer
 * channels stay as they are.
 */
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
  if (light !== 1 || spread !== 1) changeTone(data, channels, light, spread);
  if (strength !== 1) changeSaturation(data, channels, strength);
  if (turn !== 0) turnHue(data, channels, turn);
  return { ...image, data };
}

type Values = Uint8Array | Float32Array;

const clamp = (value: number): number => (value < 0 ? 0 : Math.min(value, 255));

/** Storing into bytes truncates, so adding half a level rounds. */
const rounding = (data: Values): number => (data instanceof Uint8Array ? 0.5 : 0);

const greyAt = (data: Values, at: number): number => 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;

/** Scales the brightness, then the contrast about the mean grey. */
function changeTone(data: Values, channels: number, light: number, spread: number): void {
  let sum = 0;
  for (let at = 0; at < data.length; at += channels) sum += clamp(light * greyAt(data, at));
  const grey = sum / (data.length / channels);
  const half = rounding(data);
  for (let at = 0; at < data.length; at += channels) {
    for (let c = at; c < at + 3; c++) data[c] = clamp(grey + (clamp(light * data[c]!) - grey) * spread) + half;
  }
}

/** Scales the distance of each channel from the pixel's own grey. */
function changeSaturation(data: Values, channels: number, strength: number): void {
  const half = rounding(data);
  for (let at = 0; at < data.length; at += channels) {
    const grey = greyAt(data, at);
    for (let c = at; c < at + 3; c++) data[c] = clamp(grey + (data[c]! - grey) * strength) + half;
  }
}

/** Rotates the HSV hue by `turn` of the full circle, keeping value and saturation. */
function turnHue(data: Values, channels: number, turn: number): void {
  const half = rounding(data);
  for (let at = 0; at < data.length; at += channels) {
    const red = data[at]!;
    const green = data[at + 1]!;
    const blue = data[at + 2]!;
    const most = Math.max(red, green, blue);
    const chroma = most - Math.min(red, green, blue);
    if (chroma === 0) continue;
    const sector =
      most === red ? (green - blue) / chroma : most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
    const turned = sector + 6 * turn + 6;
    data[at] = channelOf(5 + turned, most, chroma) + half;
    data[at + 1] = channelOf(3 + turned, most, chroma) + half;
    data[at + 2] = channelOf(1 + turned, most, chroma) + half;
  }
}

/** One channel of an HSV colour: it falls from the value by the chroma over two sixths of the circle. */
function channelOf(place: number, value: number, chroma: number): number {
  const k = place % 6;
  return value - chroma * Math.max(0, Math.min(k, 4 - k, 1));
}
