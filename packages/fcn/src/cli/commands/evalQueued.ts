import type { OpenOptions } from "../../data/open/openOptions.js";
import { describeEvaluation } from "../../evaluation/describe.js";
import { COCO_SIZES } from "../../evaluation/objectSizes.js";
import { readMetadata } from "../../models/file/weightsFile.js";
import type { InferenceOptions } from "../../prediction/inferenceOptions.js";
import * as queue from "../../queue/index.js";
import { printResult } from "../output/output.js";
import { watchRun } from "../output/runView.js";

/** What `fcn eval --queue` is given. */
interface Flags {
  readonly queue: string;
  readonly attach?: string;
  readonly chunk?: number;
  readonly data: string;
  readonly split: string;
  readonly weights: readonly string[];
  readonly batch: number;
  readonly radii: readonly number[];
  readonly json?: boolean;
  readonly inference: InferenceOptions;
  readonly open: OpenOptions;
}

/** `fcn eval --queue`. */
export async function evalQueued(flags: Flags): Promise<void> {
  const { queue: address, attach, chunk, data, split, weights, batch, radii, json = false, inference } = flags;
  const { skipBad = false, ...open } = flags.open;
  const start = performance.now();
  const what = { what: "evaluating", again: `fcn eval --queue ${address}`, queue: address };
  const found = await watchRun(json ? process.stderr : process.stdout, what, (follow) =>
    attach === undefined
      ? queue.evaluate({
          ...{ ...inference, ...follow, queue: address, data, split, weights, radii, open, skipBad },
          ...{ batchSize: batch, sizes: COCO_SIZES },
          ...(chunk && { chunk }),
        })
      : queue.attachEvaluation(attach, { ...follow, queue: address }),
  );
  for (const { name, message } of found.failures) process.stderr.write(`left out ${name}: ${message}\n`);
  const metadata = await Promise.all(found.weights.map((file) => readMetadata(file)));
  const models = metadata.map(({ model }) => model);
  const summary = {
    ...found,
    weights: oneOrAll(found.weights),
    model: oneOrAll(models),
    classes: metadata[0]?.classes ?? [],
    adapter: { description: `the workers of ${address}` },
    seconds: (performance.now() - start) / 1000,
  };
  await printResult(summary, describeEvaluation, json);
}

/** A single value by itself, as most results have one. */
export const oneOrAll = <T>(values: readonly T[]): T | readonly T[] =>
  values.length === 1 ? (values[0] as T) : values;
