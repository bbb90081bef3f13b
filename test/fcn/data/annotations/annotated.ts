import { join } from "node:path";
import { data } from "@fcn/core";
import { jpeg, writeTree } from "../trees.js";

/** A labelme file of a 6x8 image with a rectangle of the class `label` over its left half. */
export const labelmeJson = (imagePath: unknown, label: string, more: object = {}): string => {
  const points = [
    [0, 0],
    [4, 6],
  ];
  const shapes = [{ label, points, shape_type: "rectangle" }];
  return JSON.stringify({ version: "5.4.1", shapes, imagePath, imageHeight: 6, imageWidth: 8, ...more });
};

/** The polygon of a box, as COCO writes it. */
export const boxOf = (left: number, top: number, right: number, bottom: number): number[] => [
  ...[left, top, right, top],
  ...[right, bottom, left, bottom],
];

/** A COCO file of 6x8 images. The n-th one, from 1, has one box over its first n columns; its class is "thing". */
export const cocoJson = (names: readonly string[], more: object = {}): string =>
  JSON.stringify({
    categories: [{ id: 1, name: "thing" }],
    images: names.map((file_name, i) => ({ id: i + 1, file_name, height: 6, width: 8 })),
    annotations: names.map((_, i) => ({
      id: i + 1,
      image_id: i + 1,
      category_id: 1,
      segmentation: [boxOf(0, 0, i + 1, 6)],
    })),
    ...more,
  });

/** Writes files, and different images of 6x8 pixels at `images`. */
export async function writeAnnotated(
  root: string,
  images: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const tree: Record<string, string | Uint8Array> = { ...files };
  for (const [i, image] of images.entries()) tree[image] = await jpeg(6, 8, i + 1);
  await writeTree(root, tree);
}

/** Opens a folder that is not divided. */
export const openWhole = (root: string, options: data.OpenOptions = {}): Promise<data.OpenedData> =>
  data.open(root, { validation: 0, ...options });

/** For each image below the root the labels of its first row, as letters: "v" for void. */
export async function firstRows(root: string, opened: data.OpenedData): Promise<Record<string, string>> {
  const rows: Record<string, string> = {};
  for (const dataset of Object.values(opened.splits)) {
    for (let i = 0; i < dataset.length; i++) {
      const { labels, image } = await dataset.load(i);
      const file = dataset.item?.(i).image[0]?.file ?? "";
      const row = [...labels.subarray(0, image.width)].map((label) => (label === 255 ? "v" : label)).join("");
      rows[file.slice(join(root, "x").length - 1)] = row;
    }
  }
  return rows;
}

/** Remarks that are no notes: "level code file: text", the file below the root. */
export const toldOf = (root: string, { remarks }: { readonly remarks: readonly data.DataRemark[] }): string[] =>
  remarks
    .filter(({ level }) => level !== "note")
    .map(({ level, code, file, text }) => `${level} ${code} ${file.slice(root.length + 1)}: ${text}`);
