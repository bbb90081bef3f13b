import { type CanvasLike, Tensor } from "@fcn/tensor";
import { checkOptions, invalidArgument, isNode, type RulesOf, rules } from "@fcn/tensor/internal";
import { loadSharp } from "../encoding/sharp.js";
import { writeWholeFile } from "../files/write.js";
import { type Colour, paletteTable, vocColours } from "../labels/colours.js";
import { colorize } from "../labels/palette.js";
import { checkImage, type RasterImage } from "../labels/sample.js";
import { toImage } from "./tensorImages.js";

/** Labels by pixel, row by row, such as those that `predict` returns and those of a sample. */
export interface LabelledPlane {
  readonly labels: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/** Labels in the colours of their classes, by default those of PASCAL VOC, as an RGB image (`label2image` of d2l). */
export function label2image(
  { labels, height, width }: LabelledPlane,
  palette: readonly Colour[] = vocColours(256),
): RasterImage {
  const image = { data: colorize(Uint8Array.from(labels), paletteTable(palette)), height, width, channels: 3 };
  checkImage("label2image", image);
  return image;
}

export interface ShowOptions {
  /** Images in a row of the grid. Default: all of them. */
  readonly columns?: number | undefined;
  /** Factor on the size of each image. Default 1. */
  readonly scale?: number | undefined;
  /** A file to write the PNG image to (Node). */
  readonly file?: string | undefined;
  /** A canvas to draw on, which takes the size of the grid (browser). */
  readonly canvas?: CanvasLike | undefined;
}

const OPTIONS: RulesOf<ShowOptions> = {
  columns: rules.whole(1),
  scale: rules.positive,
  file: rules.rule("the path of a file", (value) => typeof value === "string" && value !== ""),
  canvas: rules.rule("a canvas", (value) => typeof (value as CanvasLike | undefined)?.getContext === "function"),
};
/** Pixels between images. */
const GAP = 8;

/**
 * Shows images in a grid, row by row (`show_images` of d2l): on `canvas`, in `file`, or as the bytes of a PNG image,
 * which are returned wherever no canvas is given. Images are RGB, grey, or tensors [C, H, W] of values from 0 to 1; a
 * smaller image lies in the upper left of its cell.
 *
 * @example
 * ```ts
 * import { label2image, showImages } from "@fcn/core";
 *
 * const labels = { labels: [0, 1, 2, 255], height: 2, width: 2 };
 * const png = await showImages([label2image(labels)], { scale: 16 });
 * ```
 */
export function showImages(
  images: readonly (RasterImage | Tensor)[],
  options: ShowOptions & { readonly canvas: CanvasLike },
): Promise<undefined>;
export function showImages(
  images: readonly (RasterImage | Tensor)[],
  options?: ShowOptions & { readonly canvas?: undefined },
): Promise<Uint8Array<ArrayBuffer>>;
export async function showImages(
  images: readonly (RasterImage | Tensor)[],
  options: ShowOptions = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  checkOptions<ShowOptions>("showImages", options, OPTIONS);
  if (!Array.isArray(images) || images.length === 0) {
    throw invalidArgument("showImages: there are no images", "pass a list of images or tensors");
  }
  const shown = await Promise.all(images.map((image) => (image instanceof Tensor ? toImage(image) : image)));
  for (const image of shown) checkImage("showImages", image);
  const { columns = shown.length, scale = 1, file, canvas } = options;
  const grid = arrange(shown, columns, scale);
  if (canvas) {
    draw(canvas, grid);
    return undefined;
  }
  const png = await encode(grid);
  if (file !== undefined) await writeWholeFile("showImages", file, png);
  return png;
}

interface Grid {
  /** RGBA rows. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly height: number;
  readonly width: number;
}

function arrange(images: readonly RasterImage[], columns: number, scale: number): Grid {
  const sizeOf = (side: number): number => Math.max(1, Math.round(side * scale));
  const [cellH, cellW] = [
    sizeOf(Math.max(...images.map(({ height }) => height))),
    sizeOf(Math.max(...images.map(({ width }) => width))),
  ];
  const across = Math.min(columns, images.length);
  const down = Math.ceil(images.length / columns);
  const [height, width] = [down * (cellH + GAP) - GAP, across * (cellW + GAP) - GAP];
  const rgba = new Uint8ClampedArray(height * width * 4).fill(255);
  for (const [i, image] of images.entries()) {
    const [top, left] = [Math.floor(i / columns) * (cellH + GAP), (i % columns) * (cellW + GAP)];
    const [green, blue] = image.channels >= 3 ? [1, 2] : [0, 0];
    const [h, w] = [sizeOf(image.height), sizeOf(image.width)];
    for (let y = 0; y < h; y++) {
      const row = Math.floor((y * image.height) / h) * image.width;
      for (let x = 0; x < w; x++) {
        const from = (row + Math.floor((x * image.width) / w)) * image.channels;
        const to = ((top + y) * width + left + x) * 4;
        rgba[to] = image.data[from] as number;
        rgba[to + 1] = image.data[from + green] as number;
        rgba[to + 2] = image.data[from + blue] as number;
      }
    }
  }
  return { rgba, height, width };
}

function draw(canvas: CanvasLike, { rgba, height, width }: Grid): void {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d") as { putImageData(image: unknown, x: number, y: number): void } | null;
  if (!context) {
    throw invalidArgument("showImages: the canvas has no 2d context", "pass a canvas that draws nothing else");
  }
  context.putImageData(new ImageData(rgba, width, height), 0, 0);
}

async function encode(grid: Grid): Promise<Uint8Array<ArrayBuffer>> {
  const { rgba, height, width } = grid;
  if (!isNode()) {
    const canvas = new OffscreenCanvas(width, height);
    draw(canvas, grid);
    return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  }
  const sharp = await loadSharp("showImages");
  const raw = { width, height, channels: 4 } as const;
  return new Uint8Array(await sharp(rgba, { raw }).removeAlpha().png().toBuffer());
}
