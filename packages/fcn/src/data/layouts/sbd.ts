import { indexRule } from "../decode/rule.js";
import { fileError } from "../files/errors.js";
import { joinPath } from "../files/files.js";
import { VOC_CLASSES } from "../published/classNames.js";
import { VOC_MEAN } from "../published/means.js";
import type { SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout } from "./layout.js";
import { hasAll, inVocColours, listDatasets, readLists } from "./lists.js";

const PARTS = ["img", "cls", "train.txt"];

/**
 * The SBD folder with `img/`, `cls/` and its lists: `root`, or `dataset/` in it or in `benchmark_RELEASE/`; undefined
 * if there is none.
 */
async function sbdFolder(root: string): Promise<string | undefined> {
  for (const below of ["", "dataset", "benchmark_RELEASE/dataset"]) {
    if (await hasAll(joinPath(root, below), PARTS)) return joinPath(root, below);
  }
  return undefined;
}

/**
 * Opens the Semantic Boundaries Dataset (Hariharan et al., ICCV 2011), with labels in `cls/*.mat`: GTcls.Segmentation.
 */
export async function openSbd(root: string): Promise<OpenedLayout> {
  const folder = await sbdFolder(root);
  if (folder === undefined) {
    throw fileError("missing-data", root, "it is not SBD", "name the folder with img/, cls/ and train.txt");
  }
  const classes = inVocColours(VOC_CLASSES);
  const rule = indexRule(VOC_CLASSES.length);
  const item = (name: string): SampleItem => ({
    name,
    image: [{ file: joinPath(folder, "img", `${name}.jpg`), as: "rgb" }],
    labels: { kind: "mat", file: joinPath(folder, "cls", `${name}.mat`), path: ["GTcls", "Segmentation"], rule },
  });
  const splits = listDatasets(await readLists(folder, joinPath(folder, "img")), classes, item);
  return { root: folder, ...classes, splits, preprocessing: VOC_MEAN, remarks: [] };
}

/** SBD on its own, without VOC. */
export const sbd: Layout = {
  what: "img/, cls/ and train.txt (SBD)",
  parts: PARTS,
  recognise: async (root) => (await sbdFolder(root)) !== undefined,
  open: openSbd,
  options: {},
};
