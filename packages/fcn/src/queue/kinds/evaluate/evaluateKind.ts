import { createHash } from "node:crypto";
import { TensorError } from "@fcn/tensor";
import { open } from "../../../data/open/open.js";
import { foldersIn, type OpenOptions } from "../../../data/open/openOptions.js";
import { type SegmentationDataset, subset, withScale } from "../../../data/samples/dataset.js";
import type { EvaluateOptions } from "../../../evaluation/evaluate.js";
import { evaluateMeasured } from "../../../evaluation/evaluate.js";
import { type BoardCounts, Scoreboard, type ScoreboardOptions } from "../../../evaluation/scoreboard.js";
import type { Chunk, Run } from "../../runs/spec.js";
import * as store from "../../runs/store.js";
import type { Kind } from "../kind.js";
import type { Session } from "../session.js";

/** What an evaluation asks of workers. */
export interface EvaluateTask {
  /** The folder of the data, or its address in a bucket. */
  readonly data: string;
  readonly split: string;
  /** How the folder is read. */
  readonly open: Omit<OpenOptions, "skipBad">;
  /** {@link dataDigest} of the split as whoever asked sees it. */
  readonly digest: string;
  /** The files of weights as they were named. */
  readonly names: readonly string[];
  readonly numClasses: number;
  readonly options: Omit<EvaluateOptions, "signal" | "boundary"> & { readonly radii: readonly number[] };
}

/** What became of a chunk, or of several. */
interface EvaluatePart {
  readonly counts: BoardCounts;
  readonly failures: readonly SampleFailure[];
}

/** A sample that could not be read. */
export interface SampleFailure {
  readonly index: number;
  readonly name: string;
  readonly message: string;
}

/** What is kept of an evaluation that is done. */
export type EvaluateResult = EvaluatePart;

/** A digest of the names of samples in their order, by which machines know that they see the same data. */
export function dataDigest(dataset: SegmentationDataset): string {
  const hash = createHash("sha256");
  for (let i = 0; i < dataset.length; i++) hash.update(`${dataset.name(i)}\n`);
  return hash.digest("hex");
}

const taskOf = ({ spec }: Run): EvaluateTask => spec.task as EvaluateTask;

export const boardOf = ({ numClasses, options: { radii, sizes } }: EvaluateTask): Scoreboard => {
  const options: ScoreboardOptions = { boundary: { radii }, ...(sizes && { sizes }) };
  return new Scoreboard(numClasses, options);
};

export const EVALUATE: Kind = {
  async work(run, chunk, session): Promise<EvaluatePart> {
    const task = taskOf(run);
    const dataset = await session.kept(`data ${run.id}`, () => openData(task, session));
    return session.withNets(run.spec.weights, (nets) => {
      const { preprocessing } = nets[0].metadata;
      const scaled = task.open.range === undefined && preprocessing.range ? withScale(dataset, preprocessing) : dataset;
      return count(task, scaled, chunk, (samples, options, onCounts) =>
        evaluateMeasured(nets, samples, options, { names: task.names, onCounts }),
      );
    });
  },

  fold: (run, parts) => sum(taskOf(run), parts as EvaluatePart[]),

  async advance(run, _, connection) {
    const result: EvaluateResult = sum(taskOf(run), (await store.partsOf(connection, run.id)) as EvaluatePart[]);
    return { result };
  },

  async cleanUp() {},
};

/** What all parts together counted, whichever samples each is of. */
function sum(task: EvaluateTask, parts: readonly EvaluatePart[]): EvaluatePart {
  const board = boardOf(task);
  for (const { counts } of parts) board.addCounts(counts);
  const failures = parts.flatMap((part) => part.failures).sort((a, b) => a.index - b.index);
  return { counts: board.counts, failures };
}

async function openData(task: EvaluateTask, session: Session): Promise<SegmentationDataset> {
  const { data, split, digest } = task;
  for (const folder of [data, ...foldersIn(task.open).map(([, path]) => path)]) await session.roots.check(folder);
  const { splits } = await open(data, task.open);
  const dataset = splits[split];
  if (dataset && dataDigest(dataset) === digest) return dataset;
  throw new TensorError({
    code: "checksum-mismatch",
    message: `the split ${split} of ${data} has other images on a worker than where the evaluation was asked for`,
    fix: "let all machines see the same folder, and leave it as it is meanwhile",
  });
}

type Evaluate = (
  samples: SegmentationDataset,
  options: EvaluateOptions,
  onCounts: (counts: BoardCounts) => void,
) => Promise<unknown>;

async function count(
  task: EvaluateTask,
  dataset: SegmentationDataset,
  { from, to }: Chunk,
  evaluate: Evaluate,
): Promise<EvaluatePart> {
  const { radii, ...options } = task.options;
  const failures: SampleFailure[] = [];
  let counts = boardOf(task).counts;
  const onFailure = (i: number, { message }: Error): void => {
    failures.push({ index: from + i, name: dataset.name(from + i), message });
  };
  const samples = subset(
    dataset,
    Array.from({ length: to - from }, (_, i) => from + i),
  );
  try {
    await evaluate(samples, { ...options, boundary: { radii }, onFailure }, (counted) => {
      counts = counted;
    });
  } catch (error) {
    // Where no sample can be read there is nothing to count.
    if (failures.length < samples.length) throw error;
  }
  return { counts, failures };
}
