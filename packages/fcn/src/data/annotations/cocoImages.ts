import type { ErrorCode } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { folderOf, joinPath, withoutExtension } from "../files/files.js";
import { liesOutside, orOf, outsideFile, partsOf, type pathFinder } from "../files/findPath.js";
import type { DataRemark } from "../files/remarks.js";
import { counted } from "../files/words.js";
import { namedSplit } from "../folder/splits.js";
import type { CocoImage } from "./cocoFile.js";

/** The split named by the file or by one of its folders. */
export function splitOf(file: string): string | undefined {
  const words = withoutExtension(file).split(/[/_\-.]|(?<=[a-z])(?=\d)/i);
  return words.map(namedSplit).find((word) => word !== undefined);
}

/** Entries that have been matched with an image. */
interface Taken {
  readonly image: CocoImage;
  readonly path: string;
  readonly contradicts: boolean;
}

/**
 * Finds the images of a COCO file below the root: by `file_name` relative to the file's folder, otherwise by the
 * longest common tail. Among several equally good matches, those in a folder of the file's split win, then the one
 * whose path from the root or from `images/` was given in full. Images that are missing, ambiguous or in another folder
 * than stated are reported in `remarks`.
 */
export async function cocoImages(
  root: string,
  file: string,
  images: readonly CocoImage[],
  find: ReturnType<typeof pathFinder>,
  remarks: DataRemark[],
): Promise<Map<CocoImage, string>> {
  const folder = folderOf(file);
  const split = splitOf(file);
  const isOfSplit = (path: string): boolean => split !== undefined && splitOfFolders(path) === split;
  const inImages = (path: string, whole: boolean): boolean => whole || /^images[/\\]/i.test(path);
  const problem = (code: ErrorCode, text: string): void => {
    remarks.push({ level: "problem", code, file: joinPath(root, file), text });
  };
  const taken: Taken[] = [];
  for (const image of images) {
    const { file_name } = image;
    const found = find(file_name, { folder, prefer: [isOfSplit, inImages] });
    if (found !== undefined && "several" in found) {
      problem(
        "ambiguous-name",
        `its image "${file_name}" may be ${orOf(found.several)}: write the folder into file_name`,
      );
      continue;
    }
    const outside = await outsideFile(root, folder, file_name);
    if (found === undefined || outside !== undefined) {
      const where = outside === undefined ? "is nowhere in the folder" : liesOutside(outside);
      problem("missing-image", `its image "${file_name}" ${where}`);
      continue;
    }
    const other = splitOfFolders(found.path);
    const isElsewhere = split !== undefined && other !== undefined && other !== split && partsOf(file_name).length < 2;
    taken.push({ image, path: found.path, contradicts: found.contradicts || isElsewhere });
  }
  const own = new Set(taken.filter(({ contradicts }) => !contradicts).map(({ path }) => path));
  const strangers = taken.filter(({ contradicts }) => contradicts);
  for (const { image, path } of strangers.filter((entry) => own.has(entry.path))) {
    problem(
      "missing-image",
      `its image "${image.file_name}" is nowhere in the folder; ${path} is that of another entry`,
    );
  }
  const kept = taken.filter(({ contradicts, path }) => !contradicts || !own.has(path));
  remarks.push(...otherFolders(joinPath(root, file), kept));
  return new Map(kept.map(({ image, path }) => [image, path]));
}

/** Reports images that were accepted although the file places them in another folder. */
function otherFolders(file: string, taken: readonly Taken[]): DataRemark[] {
  const strangers = taken.filter(({ contradicts }) => contradicts);
  if (strangers.length === 0) return [];
  const examples = strangers.map(({ image, path }) => `"${image.file_name}" was taken to be ${path}`);
  const what = `${counted(strangers.length, "image")} ${strangers.length === 1 ? "lies" : "lie"} in another folder`;
  const text = `${what} than the file says: ${firstOf(examples, 3)}; correct file_name if these are other images`;
  return [{ level: "warning", code: "other-folder", file, text }];
}

const splitOfFolders = (path: string): string | undefined => {
  const folders = folderOf(path);
  return folders === "" ? undefined : splitOf(folders);
};
