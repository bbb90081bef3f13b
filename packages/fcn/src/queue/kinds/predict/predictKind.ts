import { TensorError } from "@fcn/tensor";
import { toldOf } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import { openPlace } from "../../../places/open.js";
import type { Roots } from "../../../places/roots.js";
import { Manifest } from "../../../prediction/files/manifest.js";
import type { ImageReport } from "../../../prediction/files/run.js";
import { SAVED } from "../../../prediction/files/scenes.js";
import type { WrittenFile } from "../../../prediction/files/written.js";
import type { Chunk, Run } from "../../runs/spec.js";
import * as store from "../../runs/store.js";
import type { Kind } from "../kind.js";
import type { Session } from "../session.js";
import { predictChunk, shownFiles } from "./chunk.js";
import {
  type ListedImage,
  type PlannedScene,
  type PredictPart,
  type RegionPart,
  RunFiles,
  type SceneList,
} from "./files.js";
import { joinScene, listScenes, predictRegions } from "./scenes.js";
import { type PredictResult, taskOf } from "./task.js";

async function filesOf(run: Run, roots?: Roots): Promise<RunFiles> {
  const { out } = taskOf(run);
  await roots?.check(out);
  return new RunFiles(await openPlace(out), run.id);
}

export const PREDICT: Kind = {
  async work(run, chunk, session) {
    const files = await session.kept(`files of ${run.id}`, () => filesOf(run, session.roots));
    const part = await predictPart(run, chunk, session, files);
    await files.writePart(chunk.k, part);
    // That there are scenes decides what comes next, for which not all files should have to be read.
    return part.scenes && part.scenes.length > 0 ? part.scenes : undefined;
  },

  async advance(run, session, connection) {
    const files = await filesOf(run, session.roots);
    const scenes = await files.readScenes();
    if (scenes === undefined) {
      const planned = ((await store.partsOf(connection, run.id)) as PlannedScene[][]).flat();
      if (planned.length > 0) {
        const { total, ...list } = listScenes(run.total, planned);
        await files.writeScenes(list);
        return { total };
      }
    }
    const aside = new Map((await store.asideChunks(connection, run.id)).map((chunk) => [chunk.k, chunk]));
    const written: WrittenFile[] = [];
    const remarks = new Map<string, DataRemark>();
    const counts = { images: 0, failed: 0 };
    const tell = (report: ImageReport): ImageReport => {
      counts.images++;
      if ("error" in report) counts.failed++;
      return report;
    };
    const reports = async function* (): AsyncGenerator<ImageReport> {
      const regions = scenes === undefined ? new Map() : await regionParts(run, files);
      let [k, line] = [0, 0];
      for await (const part of files.parts(run.chunks)) {
        if (line === (scenes?.lines ?? run.total)) break;
        const given = aside.get(k++);
        written.push(...(part?.files ?? []));
        for (const remark of part?.remarks ?? []) remarks.set(JSON.stringify(remark), remark);
        for (const report of part?.images ?? (given ? await givenUp(files, given) : [])) {
          const scene = scenes?.scenes.find((each) => each.line === line);
          line++;
          if (scene === undefined) yield tell(report);
          else yield tell(await sceneReport(scene, regions));
        }
      }
    };
    const sceneReport = async (scene: SceneList["scenes"][number], regions: ReadonlyMap<number, RegionPart>) => {
      const [image] = (await files.readList(scene.line, scene.line + 1)) as [ListedImage];
      const save = taskOf(run).save ?? ["labels"];
      const joined = await joinScene(image, scene, regions, save, files);
      if (joined === undefined) return asideReport(image.input, "regions of it ended 3 workers each");
      written.push(...joined.files);
      remarks.set(JSON.stringify(joined.remark), joined.remark);
      return { ...joined.summary, files: shownFiles(run, files.place, image.stem, save) };
    };
    await files.writeReport(reports());
    const announced = await files.names(scenes?.lines ?? run.total, taskOf(run).save ?? SAVED);
    await (await Manifest.read(files.place)).finish(written, announced);
    const result: PredictResult = { ...counts, remarks: [...remarks.values()] };
    return { result };
  },

  async cleanUp(run, roots) {
    await (await filesOf(run, roots)).clear(run.total, run.chunks, run.spec.weights.length);
  },
};

/** Predicts the images of a chunk, or the regions of scenes that it stands for. */
async function predictPart(run: Run, chunk: Chunk, session: Session, files: RunFiles): Promise<PredictPart> {
  const scenes = await files.readScenes();
  if (scenes && chunk.from >= scenes.lines) return predictRegions(run, chunk, scenes, session, files);
  const images = await files.readList(chunk.from, chunk.to);
  return predictChunk(run, chunk.from, images, session, files.place);
}

/** What became of regions, by their items. */
async function regionParts(run: Run, files: RunFiles): Promise<Map<number, RegionPart>> {
  const found = new Map<number, RegionPart>();
  for await (const part of files.parts(run.chunks)) {
    for (const region of part?.regions ?? []) found.set(region.item, region);
  }
  return found;
}

/** The reports of images whose chunk was given up. */
async function givenUp(files: RunFiles, { from, to, reason }: Chunk & { readonly reason: string }) {
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
