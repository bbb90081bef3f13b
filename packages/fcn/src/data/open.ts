import { vocColours } from "../report/colours.js";
import type { OpenedData, SegmentationDataset } from "./dataset.js";
import { decodeImage, IMAGE_PATTERN } from "./decode/image.js";
import { decodePng } from "./decode/png.js";
import { fileError } from "./errors.js";
import { joinPath, kindOf, listFiles, readBytes, readJson, readLines, withoutExtension } from "./files.js";

/**
 * Opens a folder with `images/` and `masks/` (8-bit PNG of the same base name whose numbers are labels), `classes.json` (a list of names) and
 * `splits/*.txt`. Throws a TensorError that names what is missing.
 */
export async function open(root: string): Promise<OpenedData> {
  const images = await filesByName(joinPath(root, "images"), IMAGE_PATTERN);
  const masks = await filesByName(joinPath(root, "masks"), /\.png$/i);
  const classes = (await readJson(joinPath(root, "classes.json"))) as string[];
  const palette = vocColours().slice(0, classes.length);
  const names = [...images.keys()].filter((name) => masks.has(name));
  const dataset = (chosen: readonly string[]): SegmentationDataset => ({
    length: chosen.length,
    classes,
    palette,
    name: (index) => chosen[index] as string,
    load: async (index) => {
      const name = chosen[index] as string;
      const [picture, mask] = [images.get(name) as string, masks.get(name) as string];
      const { image } = await decodeImage(picture, await readBytes(picture));
      const { samples, height, width } = await decodePng(mask, await readBytes(mask));
      if (height === image.height && width === image.width) return { name, image, labels: Uint8Array.from(samples) };
      const problem = `it is ${height}x${width}, but ${picture} is ${image.height}x${image.width}`;
      throw fileError("size-mismatch", mask, problem, "bring both to one size");
    },
  });
  const folder = joinPath(root, "splits");
  const lists =
    (await kindOf(folder)) === "folder" ? (await listFiles(folder)).filter((file) => /\.txt$/.test(file)) : [];
  const splits: Record<string, SegmentationDataset> = { val: dataset(names) };
  for (const list of lists) {
    const wanted = (await readLines(joinPath(folder, list))).map(withoutExtension);
    splits[withoutExtension(list)] = dataset(wanted.filter((name) => names.includes(name)));
  }
  return { root, classes, palette, splits };
}

async function filesByName(folder: string, pattern: RegExp): Promise<Map<string, string>> {
  const files = (await listFiles(folder)).filter((file) => pattern.test(file));
  return new Map(files.map((file) => [withoutExtension(file), joinPath(folder, file)]));
}
