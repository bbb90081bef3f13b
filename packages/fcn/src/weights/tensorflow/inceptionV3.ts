import type { io } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { constant, convKernel, type HostArrays, lookup } from "./layout.js";

const OP = "inceptionV3FromKeras";

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}_${i + 1}`);
const A = [".branch1x1", ...numbered(".branch5x5", 2), ...numbered(".branch3x3dbl", 3), ".branch_pool"];
const B = [".branch3x3", ...numbered(".branch3x3dbl", 3)];
const C = [".branch1x1", ...numbered(".branch7x7", 3), ...numbered(".branch7x7dbl", 5), ".branch_pool"];
const D = [...numbered(".branch3x3", 2), ...numbered(".branch7x7x3", 4)];
const E = [
  ".branch1x1",
  ...[".branch3x3_1", ".branch3x3_2a", ".branch3x3_2b"],
  ...[".branch3x3dbl_1", ".branch3x3dbl_2", ".branch3x3dbl_3a", ".branch3x3dbl_3b"],
  ".branch_pool",
];
const BLOCKS: readonly (readonly [name: string, branches: readonly string[]])[] = [
  ...["1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"].map((name) => [`Conv2d_${name}`, [""]] as const),
  ...["5b", "5c", "5d"].map((name) => [`Mixed_${name}`, A] as const),
  ["Mixed_6a", B],
  ...["6b", "6c", "6d", "6e"].map((name) => [`Mixed_${name}`, C] as const),
  ["Mixed_7a", D],
  ...["7b", "7c"].map((name) => [`Mixed_${name}`, E] as const),
];
/** torchvision's names of the convolutions, in the order in which Keras creates and numbers its own. */
const NAMES = BLOCKS.flatMap(([block, branches]) => branches.map((branch) => block + branch));

/**
 * Converts the weights of a Keras InceptionV3 (`io.readTfjs`) to torchvision's names and our layout. Keras numbers its
 * layers (`conv2d_1`, ...), so they are identified by order; its batch norm has no gamma, which becomes 1. The net
 * needs `samePadding: true`, and `padding: 0` to match Keras's features exactly. Weights after the last convolution (a
 * classifier) are left out.
 *
 * Throws `invalid-argument` if there are too few or too many layers.
 */
export function inceptionV3FromKeras(
  weights: HostArrays,
  { prefix = "backbone." }: { readonly prefix?: string } = {},
): Record<string, io.HostArray> {
  const convs = inOrder(weights, "conv2d");
  const norms = inOrder(weights, "batch_normalization");
  const get = lookup(OP, weights);
  const entries = NAMES.flatMap((name, i): [string, io.HostArray][] => {
    const norm = norms[i] as string;
    const bias = get(`${norm}/beta`);
    return [
      [`${name}.conv.weight`, convKernel(get(`${convs[i]}/kernel`))],
      [`${name}.bn.weight`, constant(bias.data.length, 1)],
      [`${name}.bn.bias`, bias],
      [`${name}.bn.running_mean`, get(`${norm}/moving_mean`)],
      [`${name}.bn.running_var`, get(`${norm}/moving_variance`)],
    ];
  });
  return Object.fromEntries(entries.map(([name, value]) => [prefix + name, value]));
}

/** The layers called `kind`, `kind_1`, `kind_2`, ... in the order of their numbers, which may start anywhere. */
function inOrder(weights: HostArrays, kind: string): string[] {
  const pattern = new RegExp(`^${kind}(?:_(\\d+))?$`);
  const layers = [...new Set(Object.keys(weights).map((name) => name.replace(/\/[^/]*$/, "")))];
  const found = layers.flatMap((layer) => {
    const match = pattern.exec(layer);
    return match === null ? [] : [{ layer, number: Number(match[1] ?? 0) }];
  });
  if (found.length !== NAMES.length) {
    throw invalidArgument(
      `${OP}: the weights hold ${found.length} layers called ${kind}_<number>, but InceptionV3 has ${NAMES.length}`,
      "pass the weights of a Keras InceptionV3, all of them",
    );
  }
  return found.sort((a, b) => a.number - b.number).map(({ layer }) => layer);
}
