import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TensorError } from "@fcn/tensor";
import { decodeImage } from "../../../data/decode/image.js";
import { errorOf, type ToldError, toldOf } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import { isRemote } from "../../../places/address.js";
import { openPlace, readAddress } from "../../../places/open.js";
import type { Place } from "../../../places/place.js";
import type { Roots } from "../../../places/roots.js";
import type { Input } from "../../../prediction/files/inputs.js";
import { Manifest, type WrittenFile } from "../../../prediction/files/manifest.js";
import { OUTPUTS, OutputFolder, type OutputName } from "../../../prediction/files/outputs.js";
import { type ImageReport, predictAndWrite } from "../../../prediction/files/run.js";
import type { PredictOptions } from "../../../prediction/predict.js";
import type { Chunk, Run } from "../../runs/spec.js";
import * as store from "../../runs/store.js";
import type { Kind } from "../kind.js";
import type { Session } from "../session.js";
import { type ListedImage, type PredictPart, RunFiles } from "./files.js";

/** What a prediction asks of workers. */
export interface PredictTask {
  /** The place for results. */
  readonly out: string;
  /** That place as it was named, for results. */
  readonly shown: string;
  /** The files of weights as they were named. */
  readonly names: readonly string[];
  readonly save: readonly OutputName[];
  readonly options: Omit<PredictOptions, "signal">;
  readonly tolerance: number;
}

/** What is kept of a prediction that is done. */
export interface PredictResult {
  readonly images: number;
  readonly failed: number;
  readonly remarks: readonly DataRemark[];
}

const taskOf = ({ spec }: Run): PredictTask => spec.task as PredictTask;

async function filesOf(run: Run, roots?: Roots): Promise<RunFiles> {
  const { out } = taskOf(run);
  await roots?.check(out);
  return new RunFiles(await openPlace(out), run.id);
}

export const PREDICT: Kind = {
  async work(run, chunk, session) {
    const files = await session.kept(`files of ${run.id}`, () => filesOf(run, session.roots));
    // A worker may have died between its part and the end of its job.
    if (await files.readPart(chunk.k)) return undefined;
    const images = await files.readList(chunk.from, chunk.to);
    const scratch = await mkdtemp(join(tmpdir(), "fcn-chunk-"));
    try {
      await files.writePart(chunk.k, await predictChunk(run, images, session, { place: files.place, scratch }));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return undefined;
  },

  async advance(run, session, connection) {
    const files = await filesOf(run, session.roots);
    const aside = new Map((await store.asideChunks(connection, run.id)).map((chunk) => [chunk.k, chunk]));
    const written: WrittenFile[] = [];
    const remarks = new Map<string, DataRemark>();
    const counts = { images: 0, failed: 0 };
    const reports = async function* (): AsyncGenerator<ImageReport> {
      for (let k = 0; k < run.chunks; k++) {
        const part = await files.readPart(k);
        const given = aside.get(k);
        if (part) written.push(...part.files);
        for (const remark of part?.remarks ?? []) remarks.set(JSON.stringify(remark), remark);
        for (const report of part?.images ?? (given ? await givenUp(files, given) : [])) {
          counts.images++;
          if ("error" in report) counts.failed++;
          yield report;
        }
      }
    };
    await files.writeReport(reports());
    const announced = await files.names(run.total, taskOf(run).save);
    await (await Manifest.read(files.place)).finish(written, announced);
    const result: PredictResult = { ...counts, remarks: [...remarks.values()] };
    return { result };
  },

  async cleanUp(run, roots) {
    await (await filesOf(run, roots)).clear(run.total, run.chunks);
  },
};

/** The reports of images whose chunk was given up. */
async function givenUp(files: RunFiles, { from, to, reason }: Chunk & { readonly reason: string }) {
  const images = await files.readList(from, to);
  const error = toldOf(
    new TensorError({
      code: "worker-died",
      message: `it is one of ${images.length} that were put aside: ${reason}`,
      fix: {
        code: "predict it by itself, or retry the run",
        command: "predict it by itself, or: fcn jobs --retry RUN",
      },
    }),
  );
  return images.map(({ input }): ImageReport => ({ input, error }));
}

/** Predicts images into a scratch folder, and writes the results from there to their place, each whole. */
async function predictChunk(
  run: Run,
  images: readonly ListedImage[],
  session: Session,
  { place, scratch }: { readonly place: Place; readonly scratch: string },
): Promise<PredictPart> {
  const { save, options, tolerance, shown, names } = taskOf(run);
  const inputs = images.map((image) => inputOf(image, session));
  const nameOf = ({ stem }: Input, kind: OutputName): string => `${stem}${OUTPUTS[kind].suffix}`;
  const pathsOf = (input: Input) => new Map(save.map((kind) => [kind, join(scratch, nameOf(input, kind))]));
  const folder = new OutputFolder(scratch, save);
  const { images: reports, remarks } = await session.withNets(run.spec.weights, (nets, device) =>
    predictAndWrite(
      { inputs, weights: names, out: shown, save, options, tolerance },
      { device, nets },
      { folder, places: new Map(inputs.map((input) => [input, pathsOf(input)])) },
      () => {},
    ),
  );
  const files = [...folder.written];
  for (const { name } of files) await place.write(name, { file: join(scratch, name) });
  const shownAs = isRemote(shown) ? place.addressOf.bind(place) : (name: string) => join(shown, name);
  const told = reports.map((report, i): ImageReport => {
    if ("error" in report) return report;
    const paths = save.map((kind) => [kind, shownAs(nameOf(inputs[i] as Input, kind))]);
    return { ...report, files: Object.fromEntries(paths) };
  });
  return { images: told, files, remarks };
}

function inputOf({ input, address, stem, error }: ListedImage, session: Session): Input {
  return {
    ...{ name: input, stem },
    load: async (scale) => {
      if (error || address === undefined) throw errorOf(error as ToldError);
      await session.roots.check(address);
      return (await decodeImage(input, await readAddress(address), scale)).image;
    },
  };
}
