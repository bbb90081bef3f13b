import { vocColours } from "../../labels/colours.js";
import { VOID_LABEL } from "../../labels/sample.js";
import type { LabelRule } from "../decode/rule.js";
import { joinPath } from "../files/files.js";
import { SIFT_FLOW_CLASSES, SIFT_FLOW_GEOMETRIC } from "../published/classNames.js";
import { SIFT_FLOW_MEAN } from "../published/means.js";
import type { LabelSource, SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout } from "./layout.js";
import { hasAll, listDatasets, namedLists, publishedLists, readLists } from "./lists.js";

const SCENES = "spatial_envelope_256x256_static_8outdoorcategories";
const IMAGES = `Images/${SCENES}`;
const SEMANTIC = `SemanticLabels/${SCENES}`;
const GEOMETRIC = `GeoLabels/${SCENES}`;

/** Stored numbers start at 1. Lower ones are void: 0, and in the geometric labels also -1. */
const fromOne = (classes: readonly string[], voids: readonly number[]): LabelRule => ({
  by: "value",
  labels: [
    ...voids.map((key) => [key, VOID_LABEL] as const),
    ...classes.map((_, label) => [label + 1, label] as const),
  ],
});

/**
 * Opens SIFT Flow (Liu, Yuen, Torralba): 33 semantic classes as labels, and 3 geometric ones in `more.geometric`. As
 * published, "train" is `trainval.txt` and "val" is `test.txt`, see {@link publishedLists}.
 */
async function open(root: string): Promise<OpenedLayout> {
  const classes = { classes: SIFT_FLOW_CLASSES, palette: vocColours(SIFT_FLOW_CLASSES.length) };
  const geometric = { classes: SIFT_FLOW_GEOMETRIC, palette: vocColours(SIFT_FLOW_GEOMETRIC.length) };
  const source = (folder: string, name: string, rule: LabelRule): LabelSource => {
    return { kind: "mat", file: joinPath(root, folder, `${name}.mat`), path: ["S"], rule };
  };
  const [semanticRule, geometricRule] = [fromOne(SIFT_FLOW_CLASSES, [0]), fromOne(SIFT_FLOW_GEOMETRIC, [0, -1])];
  const item = (name: string): SampleItem => ({
    name,
    image: [{ file: joinPath(root, IMAGES, `${name}.jpg`), as: "rgb" }],
    labels: source(SEMANTIC, name, semanticRule),
    more: { geometric: source(GEOMETRIC, name, geometricRule) },
  });
  const { lists, remark } = publishedLists(root, await namedLists(await readLists(root), joinPath(root, IMAGES)));
  const splits = listDatasets(lists, classes, item);
  const common = { root, ...classes, splits, preprocessing: SIFT_FLOW_MEAN };
  return { ...common, more: { geometric }, remarks: [remark] };
}

export const siftFlow: Layout = {
  what: "Images/, SemanticLabels/ and GeoLabels/ (SIFT Flow)",
  parts: ["Images", "SemanticLabels", "GeoLabels"],
  recognise: (root) => hasAll(root, [IMAGES, SEMANTIC]),
  open,
  options: {},
};
