import type { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { fileError } from "../files/errors.js";
import { fileName, folderOf, joinPath, sameText, withoutExtension } from "../files/files.js";
import { liesOutside, orOf, outsideFile, pathFinder } from "../files/findPath.js";

/** The image of a labelme file. */
export interface LabelmeImage {
  /** Relative to the root. */
  readonly path: string;
  /** The image is not where the file says, or has another name. */
  readonly isOther: boolean;
}

const stemOf = (path: string): string => sameText(withoutExtension(fileName(path)));

/**
 * Finds the image of a labelme file, both below `root`: first by `imagePath` relative to the file's folder, then by the
 * longest common tail (the image beside the file wins a tie), and finally, like labelme itself, by the file's own base
 * name, beside it or anywhere. Throws a TensorError that names the file if nothing matches, or if several images match
 * equally well.
 */
export function labelmeImages(
  root: string,
  images: readonly string[],
): (json: string, imagePath: string) => Promise<LabelmeImage> {
  const find = pathFinder(images);
  const byStem = new Map<string, string[]>();
  for (const image of images) {
    const others = byStem.get(stemOf(image));
    if (others) others.push(image);
    else byStem.set(stemOf(image), [image]);
  }
  return async (json, imagePath) => {
    const [folder, file] = [folderOf(json), joinPath(root, json)];
    const isBeside = (path: string): boolean => folderOf(path) === folder;
    const said = imagePath === "" ? undefined : find(imagePath, { folder, prefer: [isBeside] });
    const outside = imagePath === "" ? undefined : await outsideFile(root, folder, imagePath);
    if (outside !== undefined) throw noImage(file, `"${imagePath}" ${liesOutside(outside)}`);
    if (said !== undefined && "several" in said) throw severalImages(file, imagePath, orOf(said.several));
    const named = byStem.get(stemOf(json)) ?? [];
    const own = named.some(isBeside) ? named.filter(isBeside) : named;
    if (said !== undefined && (!said.contradicts || isBeside(said.path))) return { path: said.path, isOther: false };
    const left = [...new Set([...(said === undefined ? [] : [said.path]), ...own])];
    const [path] = left;
    if (path === undefined) throw noImage(file, `"${imagePath}" is nowhere in the folder`);
    if (left.length > 1) throw severalImages(file, imagePath, orOf(left));
    return { path, isOther: imagePath !== "" };
  };
}

function noImage(file: string, problem: string): TensorError {
  return fileError("missing-data", file, `its image ${problem}`, "put the image beside the file");
}

function severalImages(file: string, imagePath: string, places: string): TensorError {
  const problem = `its image "${imagePath}" may be ${places}`;
  return fileError("ambiguous-name", file, problem, "write the path from the file to the image into imagePath");
}

/** The warning about images that differ from their imagePath; `taken` holds entries such as "a.json" with the paths. */
export function otherImages(
  taken: readonly { readonly json: string; readonly imagePath: string; readonly image: string }[],
): string {
  const what = taken.length === 1 ? "1 labelme file names" : `${taken.length} labelme files name`;
  const examples = taken.map(({ json, imagePath, image }) => `${json} says "${imagePath}", but ${image} was taken`);
  return `${what} an image that does not exist: ${firstOf(examples, 3)}; correct imagePath if these are other images`;
}
