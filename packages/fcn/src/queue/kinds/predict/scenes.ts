import type { DataRemark } from "../../../data/files/remarks.js";
import {
  classShares,
  countLabels,
  encodeSummary,
  namesOf,
  type OutputName,
} from "../../../prediction/files/outputs.js";
import { sceneRemark } from "../../../prediction/files/scenes.js";
import { type WrittenFile, writeWithDigest } from "../../../prediction/files/written.js";
import { preparePrediction } from "../../../prediction/predict.js";
import { joinRegions } from "../../../prediction/scene/join.js";
import { regionsOf } from "../../../prediction/scene/plan.js";
import { predictRegion } from "../../../prediction/scene/region.js";
import { addressSource, openWindows } from "../../../prediction/scene/windows.js";
import type { Chunk, Run } from "../../runs/spec.js";
import type { Session } from "../session.js";
import { shownFiles } from "./chunk.js";
import type {
  ListedImage,
  ListedScene,
  PlannedScene,
  PredictPart,
  RunFiles,
  SceneList,
  StoredRegion,
} from "./files.js";
import { taskOf } from "./task.js";

/**
 * Adds items where all of a list are done or were given up: the regions of scenes that it has not, or else the putting
 * together of each scene of which no region was given up. Returns undefined if there is nothing to add.
 */
export function nextItems(
  { scenes, total }: SceneList,
  planned: readonly PlannedScene[],
  aside: readonly Chunk[],
): SceneList | undefined {
  const known = new Set(scenes.map(({ line }) => line));
  const found = planned.filter(({ line }) => !known.has(line));
  let next = total;
  if (found.length > 0) {
    const listed = found.map((scene): ListedScene => {
      const [first, regions] = [next, regionsOf(scene.plan).length];
      next += regions;
      return { ...scene, first, regions };
    });
    return { scenes: [...scenes, ...listed], total: next };
  }
  const joined = scenes.map((scene) => {
    if (scene.join !== undefined || aside.some((chunk) => hasItemsOf(scene, chunk))) return scene;
    return { ...scene, join: next++ };
  });
  return next > total ? { scenes: joined, total: next } : undefined;
}

/** Whether a chunk has an item of a scene: a region, or what puts it together. */
export const hasItemsOf = ({ first, regions, join = -1 }: ListedScene, { from, to }: Chunk): boolean =>
  (from < first + regions && to > first) || (from <= join && join < to);

/** Does items of scenes: predicts a region into a file of its own, or puts the regions of a scene together. */
export async function workOnScenes(
  run: Run,
  { from, to }: Chunk,
  session: Session,
  files: RunFiles,
): Promise<PredictPart> {
  const written: WrittenFile[] = [];
  const remarks: DataRemark[] = [];
  const joined: NonNullable<PredictPart["joined"]>[number][] = [];
  for (let item = from; item < to; item++) {
    const { scene, isJoin } = await files.sceneOf(item);
    const [image] = (await files.readList(scene.line, scene.line + 1)) as [ListedImage];
    if (isJoin) {
      const { report, ...made } = await joinScene(run, image, scene, files);
      joined.push({ line: scene.line, report });
      written.push(...made.files);
      remarks.push(made.remark);
    } else await files.writeRegion(item, await regionOf(run, image, scene, item - scene.first, session));
  }
  return { images: [], files: written, remarks, joined };
}

async function regionOf(
  run: Run,
  { address = "" }: ListedImage,
  { plan }: ListedScene,
  index: number,
  session: Session,
): Promise<StoredRegion> {
  const { options, names } = taskOf(run);
  await session.roots.check(address);
  return session.withNets(run.spec.weights, async (nets) => {
    const { inference, scale } = preparePrediction("predict", nets, options, names);
    const windows = await openWindows(await addressSource(address), scale);
    try {
      const region = regionsOf(plan)[index];
      return await predictRegion(inference, windows, plan, region as NonNullable<typeof region>);
    } finally {
      await windows.close();
    }
  });
}

/** Puts the regions of a scene together, holding one row of them at a time. */
async function joinScene(run: Run, { input, stem }: ListedImage, scene: ListedScene, files: RunFiles) {
  const { plan, palette, classes, first } = scene;
  const save = taskOf(run).save ?? ["labels"];
  const written: WrittenFile[] = [];
  const names = namesOf(stem, save);
  const put = async (kind: OutputName, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> => {
    written.push(await writeWithDigest(files.place, names.get(kind) as string, content));
  };
  const counts = new Float64Array(256);
  let tiles = 0;
  const labels = joinRegions(plan, palette, async (_, i) => {
    const region = await files.readRegion(first + i);
    tiles += region.tiles;
    countLabels(region.labels, counts);
    return region.labels;
  });
  if (save.includes("labels")) await put("labels", labels);
  // Without a file for the labels they are counted all the same.
  else for await (const _ of labels);
  const { height, width } = plan;
  const summary = { input, height, width, tiles, classes: classShares(counts, classes) };
  if (save.includes("summary")) await put("summary", encodeSummary(summary));
  const report = { ...summary, files: shownFiles(run, files.place, stem, save) };
  return { report, files: written, remark: sceneRemark(input, { plan, summary }, save) };
}
