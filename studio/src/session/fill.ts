import { tracePolygons } from "@fcn/core";
import type { Area, Point } from "./types.js";
import type { Size } from "./workSize.js";

/**
 * The region of one label around a place: all pixels that are reached from it over edges between pixels of its label.
 *
 * @param labels height x width labels, row by row, such as the strokes at the size of the work, or a prediction
 * @param size that of the labels
 * @param image the full size, in which `at` and the area are given
 * @param at a place inside the image
 * @returns the rings of the region, outline first, along the edges of the pixels of `labels`; undefined if `at` lies
 *   outside the image
 */
export function fillArea(labels: Uint8Array, size: Size, image: Size, at: Point): Area | undefined {
  const { height, width } = size;
  const [scaleX, scaleY] = [image.width / width, image.height / height];
  const [column, row] = [Math.floor(at[0] / scaleX), Math.floor(at[1] / scaleY)];
  if (column < 0 || row < 0 || column >= width || row >= height) return undefined;
  const inside = flood(labels, size, row * width + column);
  const region = tracePolygons({ labels: inside, height, width }).find(({ label }) => label === 1);
  const toFull = ([x, y]: Point): Point => [x * scaleX, y * scaleY];
  // The last place of a traced ring repeats the first.
  return { kind: "area", rings: region?.rings.map((ring) => ring.slice(1).map(toFull)) ?? [] };
}

/** 1 for each pixel that is connected to the one at `start` over pixels of its label, 0 for the others. */
function flood(labels: Uint8Array, { height, width }: Size, start: number): Uint8Array {
  const inside = new Uint8Array(height * width);
  const label = labels[start];
  const open = [start];
  inside[start] = 1;
  const visit = (i: number): void => {
    if (inside[i] === 1 || labels[i] !== label) return;
    inside[i] = 1;
    open.push(i);
  };
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const column = i % width;
    if (column > 0) visit(i - 1);
    if (column + 1 < width) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i + width < inside.length) visit(i + width);
  }
  return inside;
}
