import { type LabelRule, ruleFromOne } from "../decode/rule.js";
import { joinPath } from "../files/files.js";
import { SIFT_FLOW_CLASSES, SIFT_FLOW_GEOMETRIC } from "../published/classNames.js";
import { SIFT_FLOW_MEAN } from "../published/means.js";
import type { LabelSource, SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout } from "./layout.js";
import { hasAll, inVocColours, publishedSplits, readLists } from "./lists.js";

const SCENES = "spatial_envelope_256x256_static_8outdoorcategories";
const IMAGES = `Images/${SCENES}`;
const SEMANTIC = `SemanticLabels/${SCENES}`;
const GEOMETRIC = `GeoLabels/${SCENES}`;

const SEMANTIC_RULE = ruleFromOne(SIFT_FLOW_CLASSES.length);
const GEOMETRIC_RULE = ruleFromOne(SIFT_FLOW_GEOMETRIC.length, [0, -1]);

/**
 * Opens SIFT Flow (Liu, Yuen, Torralba): 33 semantic classes as labels, and 3 geometric ones in `more.geometric`. As
 * published, "train" is `trainval.txt` and "val" is `test.txt`, see {@link publishedSplits}.
 */
async function open(root: string): Promise<OpenedLayout> {
  const classes = inVocColours(SIFT_FLOW_CLASSES);
  const source = (folder: string, name: string, rule: LabelRule): LabelSource => {
    return { kind: "mat", file: joinPath(root, folder, `${name}.mat`), path: ["S"], rule };
  };
  const item = (name: string): SampleItem => ({
    name,
    image: [{ file: joinPath(root, IMAGES, `${name}.jpg`), as: "rgb" }],
    labels: source(SEMANTIC, name, SEMANTIC_RULE),
    more: { geometric: source(GEOMETRIC, name, GEOMETRIC_RULE) },
  });
  const splits = publishedSplits(root, await readLists(root, joinPath(root, IMAGES)), classes, item);
  const more = { geometric: inVocColours(SIFT_FLOW_GEOMETRIC) };
  return { root, ...classes, ...splits, preprocessing: SIFT_FLOW_MEAN, more };
}

export const siftFlow: Layout = {
  what: "Images/, SemanticLabels/ and GeoLabels/ (SIFT Flow)",
  parts: ["Images", "SemanticLabels", "GeoLabels"],
  recognise: (root) => hasAll(root, [IMAGES, SEMANTIC]),
  open,
  options: {},
};
