import type { io } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { inceptionBackbone } from "../../models/backbones/inception.js";
import { GraphBuilder } from "../../models/graph/builder.js";
import { constant, convKernel, type HostArrays, lookup } from "./layout.js";

const OP = "inceptionV3FromKeras";

/** torchvision's names of the convolutions, which the graph has in the order in which Keras numbers its own. */
function convolutions(): string[] {
  const builder = new GraphBuilder("inceptionv3");
  const data = builder.add("data", { kind: "input", channels: 3 });
  const spec = { prefix: "", widthMultiplier: 1, padding: 0, countIncludePad: false, lastStage: "Mixed_7c" };
  inceptionBackbone(builder, data, spec);
  const convs = builder.build().nodes.filter(({ layer }) => layer.kind === "conv");
  return convs.map(({ name }) => name.replace(/\.conv$/, ""));
}

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
  const names = convolutions();
  const convs = inOrder(weights, "conv2d", names.length);
  const norms = inOrder(weights, "batch_normalization", names.length);
  const get = lookup(OP, weights);
  const entries = names.flatMap((name, i): [string, io.HostArray][] => {
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
function inOrder(weights: HostArrays, kind: string, count: number): string[] {
  const pattern = new RegExp(`^${kind}(?:_(\\d+))?$`);
  const layers = [...new Set(Object.keys(weights).map((name) => name.replace(/\/[^/]*$/, "")))];
  const found = layers.flatMap((layer) => {
    const match = pattern.exec(layer);
    return match === null ? [] : [{ layer, number: Number(match[1] ?? 0) }];
  });
  if (found.length !== count) {
    throw invalidArgument(
      `${OP}: the weights hold ${found.length} layers called ${kind}_<number>, but InceptionV3 has ${count}`,
      {
        code: "pass the weights of a Keras InceptionV3, all of them",
        command: "give the model.json of a Keras InceptionV3, or choose the name map of its net (--names)",
      },
    );
  }
  return found.sort((a, b) => a.number - b.number).map(({ layer }) => layer);
}
