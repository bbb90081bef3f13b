import { type Colour, paletteTable } from "../../labels/colours.js";
import { overlay, paintLabels } from "../../labels/palette.js";
import type { RasterImage } from "../../labels/sample.js";
import { CELL, type PanelCell } from "./panels.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** A cell that shows an image: its first three channels, or the first one as grey. */
export function photoCell(image: RasterImage): PanelCell {
  return { ...reducePhoto(image), smooth: true };
}

/** A cell that shows the label map of an image of the given size. */
export function labelCell(labels: Uint8Array, size: Size, colours: readonly Colour[]): PanelCell {
  const { labels: reduced, height, width } = reduceLabels(labels, size);
  return { rgb: paintLabels(reduced, colours), height, width, smooth: false };
}

/** A cell that shows an image under the colours of its labels. */
export function overlayCell(image: RasterImage, labels: Uint8Array, colours: readonly Colour[]): PanelCell {
  const { rgb, ...size } = reducePhoto(image);
  const { labels: reduced } = reduceLabels(labels, image);
  return { ...size, rgb: overlay(rgb, reduced, { palette: paletteTable(colours) }), smooth: true };
}

/**
 * Number of pixels on each side that are merged into one, so that painting stays within four times a cell's side,
 * however large the image is.
 */
const factorOf = ({ height, width }: Size): number => Math.max(1, Math.floor(Math.max(height, width) / (2 * CELL)));

/** Averages each square of pixels, as 8-bit RGB. */
function reducePhoto(image: RasterImage): Size & { readonly rgb: Uint8Array } {
  const { data, channels } = image;
  const factor = factorOf(image);
  const [height, width] = [Math.ceil(image.height / factor), Math.ceil(image.width / factor)];
  const rgb = new Uint8Array(height * width * 3);
  const [green, blue] = channels >= 3 ? [1, 2] : [0, 0];
  for (let i = 0; i < height * width; i++) {
    const [top, left] = [Math.floor(i / width) * factor, (i % width) * factor];
    const [bottom, right] = [Math.min(top + factor, image.height), Math.min(left + factor, image.width)];
    let [r, g, b] = [0, 0, 0];
    for (let y = top; y < bottom; y++) {
      for (let at = (y * image.width + left) * channels; at < (y * image.width + right) * channels; at += channels) {
        r += data[at]!;
        g += data[at + green]!;
        b += data[at + blue]!;
      }
    }
    const pixels = (bottom - top) * (right - left);
    for (const [c, sum] of [r, g, b].entries()) rgb[3 * i + c] = Math.max(0, Math.min(255, Math.round(sum / pixels)));
  }
  return { height, width, rgb };
}

/** Takes the label in the middle of each square of pixels. */
function reduceLabels(labels: Uint8Array, size: Size): Size & { readonly labels: Uint8Array } {
  const factor = factorOf(size);
  const [height, width] = [Math.ceil(size.height / factor), Math.ceil(size.width / factor)];
  const middle = (index: number, end: number): number => Math.min(index * factor + (factor >> 1), end - 1);
  const reduced = new Uint8Array(height * width);
  for (let i = 0; i < reduced.length; i++) {
    const [y, x] = [middle(Math.floor(i / width), size.height), middle(i % width, size.width)];
    reduced[i] = labels[y * size.width + x]!;
  }
  return { height, width, labels: reduced };
}
