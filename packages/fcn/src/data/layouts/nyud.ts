import type { OptionTable } from "../../options/option.js";
import { oneOf } from "../../options/rules.js";
import { ruleFromOne } from "../decode/rule.js";
import { joinPath } from "../files/files.js";
import { NYUD_CLASSES } from "../published/classNames.js";
import { NYUD_MEANS, type NyudInput } from "../published/means.js";
import type { ImagePart, SampleItem } from "../samples/item.js";
import type { Layout, OpenedLayout } from "./layout.js";
import { hasAll, inVocColours, publishedSplits, readLists } from "./lists.js";

export interface NyudOptions {
  /**
   * Channels of the images: RGB (3), HHA (3), RGB and log depth (4), or RGB and HHA (6, for nets with two backbones).
   * Default "color".
   */
  readonly input?: NyudInput;
}

const INPUTS: Readonly<Record<NyudInput, readonly (readonly [folder: string, as: ImagePart["as"]])[]>> = {
  color: [["images", "rgb"]],
  hha: [["hha", "rgb"]],
  "color-d": [
    ["images", "rgb"],
    ["depth", "log-depth"],
  ],
  "color-hha": [
    ["images", "rgb"],
    ["hha", "rgb"],
  ],
};

/** Numbers 1 to 40 are the classes 0 to 39; 0 is void, as in the published code, which subtracts 1 in uint8. */
const RULE = ruleFromOne(NYUD_CLASSES.length);

const NYUD_INPUTS = Object.keys(INPUTS) as NyudInput[];

const OPTIONS = {
  input: {
    rule: oneOf(NYUD_INPUTS),
    fallback: "color",
    flag: "--nyud-input <name>",
    help: `for NYUDv2: ${NYUD_INPUTS.join(", ")}`,
  },
} as const satisfies OptionTable<NyudOptions>;

const PARTS = ["data/images", "segmentation"];

/**
 * Opens NYUDv2 in Berkeley's arrangement: `data/{images,depth,hha}/img_N.png`, `segmentation/img_N.mat` (40 classes),
 * and lists in the root. As published, "train" is `trainval.txt` (795) and "val" is `test.txt` (654), see {@link
 * publishedSplits}.
 */
async function open(root: string, { input = OPTIONS.input.fallback }: NyudOptions): Promise<OpenedLayout> {
  const classes = inVocColours(NYUD_CLASSES);
  const item = (name: string): SampleItem => ({
    name,
    image: INPUTS[input].map(([folder, as]) => ({ file: joinPath(root, "data", folder, `img_${name}.png`), as })),
    labels: {
      kind: "mat",
      file: joinPath(root, "segmentation", `img_${name}.mat`),
      path: ["segmentation"],
      rule: RULE,
    },
  });
  const named = await readLists(root, joinPath(root, "data/images"));
  const numbers = [...named].map(([list, names]) => [list, names.map((name) => name.replace(/^img_/, ""))] as const);
  const splits = publishedSplits(root, new Map(numbers), classes, item);
  return { root, ...classes, ...splits, preprocessing: NYUD_MEANS[input] };
}

export const nyud: Layout<NyudOptions> = {
  what: "data/images/ and segmentation/ (NYUDv2)",
  parts: PARTS,
  recognise: (root) => hasAll(root, PARTS),
  open,
  options: OPTIONS,
};
