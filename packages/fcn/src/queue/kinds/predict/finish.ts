import { TensorError } from "@fcn/tensor";
import { toldOf } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import { Manifest } from "../../../prediction/files/manifest.js";
import type { ImageReport } from "../../../prediction/files/run.js";
import { SAVED } from "../../../prediction/files/scenes.js";
import type { WrittenFile } from "../../../prediction/files/written.js";
import type { Aside, Run } from "../../runs/spec.js";
import type { ListedScene, PredictPart, RunFiles, SceneList } from "./files.js";
import { hasItemsOf } from "./scenes.js";
import { type PredictResult, taskOf } from "./task.js";

/** Joins the parts of a run in the order of its list: writes the report, and lists the results in their place. */
export async function finishPrediction(
  run: Run,
  files: RunFiles,
  { scenes }: SceneList,
  aside: readonly Aside[],
): Promise<PredictResult> {
  const { images: total, save = SAVED } = taskOf(run);
  const givenUp = new Map(aside.map((chunk) => [chunk.k, chunk]));
  const written: WrittenFile[] = [];
  const remarks = new Map<string, DataRemark>();
  const take = (part: PredictPart): void => {
    for (const file of part.files) written.push(file);
    for (const remark of part.remarks) remarks.set(JSON.stringify(remark), remark);
  };
  const counts = { images: 0, failed: 0 };
  const reports = async function* (): AsyncGenerator<ImageReport> {
    const joined = new Map<number, ImageReport>();
    for (const part of scenes.length > 0 ? await partsOfScenes(run, files, givenUp) : []) {
      take(part);
      for (const { line, report } of part.joined ?? []) joined.set(line, report);
    }
    const lost = new Map(
      scenes.filter(({ line }) => !joined.has(line)).map((scene) => [scene.line, reasonOf(scene, aside)]),
    );
    let k = 0;
    for await (const found of files.parts(run.chunks)) {
      if (counts.images === total) break;
      const chunk = givenUp.get(k++);
      const part = chunk === undefined ? found : undefined;
      if (part) take(part);
      for (const image of part?.images ?? (chunk ? await asideReports(files, chunk) : [])) {
        const line = counts.images++;
        const reason = lost.get(line);
        const report = reason === undefined ? (joined.get(line) ?? image) : asideReport(image.input, reason);
        if ("error" in report) counts.failed++;
        yield report;
      }
    }
  };
  await files.writeReport(reports());
  await (await Manifest.read(files.place)).finish(written, await files.names(total, save));
  return { ...counts, remarks: [...remarks.values()] };
}

/** The parts of what is not of the images, which are the last ones. */
async function partsOfScenes(run: Run, files: RunFiles, givenUp: ReadonlyMap<number, Aside>): Promise<PredictPart[]> {
  const found: PredictPart[] = [];
  for (let k = run.chunks - 1; k >= 0; k--) {
    const chunk = givenUp.get(k);
    const part = chunk === undefined ? await files.readPart(k) : undefined;
    if (part?.images.length || (chunk && chunk.from < taskOf(run).images)) break;
    if (part) found.push(part);
  }
  return found.reverse();
}

/** Why a scene was not put together. */
function reasonOf(scene: ListedScene, aside: readonly Aside[]): string {
  const { reason } = aside.find((chunk) => hasItemsOf(scene, chunk)) ?? { reason: "it failed" };
  return `${reason}, with a part of it`;
}

/** The reports of images whose chunk was given up. */
async function asideReports(files: RunFiles, { from, to, reason }: Aside): Promise<ImageReport[]> {
  const images = await files.readList(from, to);
  return images.map(({ input }) => asideReport(input, `${reason}, with ${images.length - 1} other images`));
}

function asideReport(input: string, reason: string): ImageReport {
  const error = new TensorError({
    code: "worker-died",
    message: `it was put aside: ${reason}`,
    fix: { code: "predict it by itself, or retry the run", command: "predict it by itself, or: fcn jobs --retry RUN" },
  });
  return { input, error: toldOf(error) };
}
