import type { TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { entryOf } from "../../models/registry.js";
import { NAME_MAPS, type NameMap } from "../nameMaps.js";
import { ENTRIES } from "./entries.js";
import type { WeightsEntry } from "./entry.js";
import { describeWeights } from "./registry.js";

/** A net that is to start from published weights. */
export interface Wanted {
  readonly model: string;
  readonly widthMultiplier?: number | undefined;
  /** Channels of its images. Default 3. */
  readonly channels?: number;
}

/** The published weights of a model: of the whole net, then of classifiers that its backbone can start from. */
export function entriesOf(model: string): WeightsEntry[] {
  const { backbone } = entryOf(model);
  const of = (part: WeightsEntry["part"], name: string | undefined): WeightsEntry[] =>
    ENTRIES.filter((entry) => entry.part === part && entry.model === name);
  return [...of("net", model), ...of("backbone", backbone)];
}

/** The published weights of a model whose arrays have the sizes of this net. */
export const fitting = ({ model, widthMultiplier = 1, channels = 3 }: Wanted): WeightsEntry[] =>
  entriesOf(model).filter(
    ({ options, preprocessing }) =>
      (options?.widthMultiplier ?? 1) === widthMultiplier && preprocessing.mean.length === channels,
  );

/** The entry of a name, if it is one of the model's. Throws `invalid-argument` otherwise. */
export function entryFor(op: string, name: string, model: string): WeightsEntry {
  const entry = describeWeights(name);
  const own = entriesOf(model);
  if (own.includes(entry)) return entry;
  const names = own.map((each) => each.name);
  throw invalidArgument(
    `${op}: the weights ${name} are of ${entry.model}, not of ${model}`,
    names.length > 0 ? `choose one of: ${names.join(", ")}` : OTHER_NET,
  );
}

/** The error for a net without published weights. */
export function noneFor(op: string, model: string): TensorError {
  const fix = "leave the width and the number of channels at their defaults, or start from random weights";
  return invalidArgument(
    `${op}: no pretrained weights are published for ${entriesOf(model).length > 0 ? "this " : ""}${model}`,
    entriesOf(model).length > 0 ? fix : OTHER_NET,
  );
}

const OTHER_NET =
  "choose a net with published weights, such as fcn16s-mobilenetv2 (fcn models counts them), or start from random ones";

/** By backbone, whose names the weights have, and whose the net. */
const MAPS: Readonly<Record<string, string>> = {
  "vgg16 torchvision Caffe": "vgg16-to-caffe",
  "vgg16 Caffe torchvision": "caffe-to-vgg16",
  "resnet18 torchvision d2l": "resnet-to-d2l",
};

/**
 * The map from the names of published weights to those of a model, or undefined where they differ in a prefix at most.
 */
export function mapFor({ part, format }: WeightsEntry, model: string): NameMap | undefined {
  if (part === "net") return undefined;
  const { keys, backbone } = entryOf(model);
  const map = MAPS[`${backbone} ${format === "caffemodel" ? "Caffe" : "torchvision"} ${keys}`];
  return map === undefined ? undefined : NAME_MAPS[map];
}
