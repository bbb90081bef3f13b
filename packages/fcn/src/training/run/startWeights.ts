import { io, TensorError } from "@fcn/tensor";
import type { GraphNet, NetOutput } from "../../models/graph/net.js";
import { scoreLayers } from "../../models/graph/scoreLayers.js";
import { refuseNonFinite } from "../weightsFile.js";

/** What became of the arrays of a file of weights. */
export interface StartReport {
  /** Arrays that were taken. */
  readonly loaded: number;
  /** Names of the score layers and their upsampling that were left out, since the file is for other classes: these start anew. */
  readonly swapped: readonly string[];
  /** Names of the net that the file lacks: these start anew too. */
  readonly missing: readonly string[];
}

/**
 * Starts a net from a file of weights in any format that `io` opens. Where the file is for other classes the head keeps its initial values, as
 * with a file of a trunk alone. Throws where another layer does not fit, or nothing does.
 */
export async function loadStartWeights<Output extends NetOutput>(
  net: GraphNet<Output>,
  file: string,
): Promise<StartReport> {
  const own = net.stateDict();
  const misfits = await io.openWeights(file, ({ arrays }) =>
    Object.entries(arrays).flatMap(([name, { shape }]) => {
      const wanted = Object.hasOwn(own, name) ? own[name]?.shape : undefined;
      const fits = wanted === undefined || same(wanted, shape) || net.stateAdapter(name, shape) !== undefined;
      return fits ? [] : [{ name, shape, wanted: wanted as readonly number[] }];
    }),
  );
  const classes = new Set(scoreLayers(net.graph).map((layer) => own[`${layer}.weight`]?.shape[0]));
  const isHead = (shape: readonly number[]): boolean => classes.has(shape[0]);
  const stray = misfits.find(({ wanted }) => !isHead(wanted));
  if (stray !== undefined) {
    const { name, shape, wanted } = stray;
    throw misfit(
      file,
      net.graph.name,
      `${name} is [${shape.join(", ")}] in the file and [${wanted.join(", ")}] in the net`,
    );
  }
  const swapped = misfits.map(({ name }) => name);
  const rename = (name: string): string | undefined => (swapped.includes(name) ? undefined : name);
  const report = await io.loadWeights(net, file, { strict: false, rename });
  const loaded = report.copied.length + report.reshaped.length;
  if (loaded === 0) throw misfit(file, net.graph.name, "no name in the file is one of the net");
  await refuseNonFinite("train", net, file);
  return { loaded, swapped, missing: report.missing.filter((name) => !swapped.includes(name)) };
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

function misfit(file: string, model: string, problem: string): TensorError {
  return new TensorError({
    code: "state-dict-mismatch",
    message: `train: the weights in ${file} do not fit ${model}: ${problem}`,
    fix: "name the model that the weights were made for, or bring the names over first: fcn convert --names",
  });
}
