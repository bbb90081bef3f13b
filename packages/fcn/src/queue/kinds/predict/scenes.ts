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
import type { ListedImage, PlannedScene, PredictPart, RegionPart, RunFiles, SceneList } from "./files.js";
import { taskOf } from "./task.js";

type Scene = SceneList["scenes"][number];

/** Gives each region of the scenes an item after those of the list. */
export function listScenes(lines: number, planned: readonly PlannedScene[]): SceneList & { readonly total: number } {
  let total = lines;
  const scenes = planned.map((scene) => {
    const [first, regions] = [total, regionsOf(scene.plan).length];
    total += regions;
    return { ...scene, first, regions };
  });
  return { lines, scenes, total };
}

/** Predicts regions of scenes, each of which gets a file of its own. */
export async function predictRegions(
  run: Run,
  { from, to }: Chunk,
  { scenes }: SceneList,
  session: Session,
  files: RunFiles,
): Promise<PredictPart> {
  const { options, names } = taskOf(run);
  const regions: RegionPart[] = [];
  for (let item = from; item < to; item++) {
    const scene = scenes.find(({ first, regions: count }) => item >= first && item < first + count) as Scene;
    const [{ address }] = (await files.readList(scene.line, scene.line + 1)) as [ListedImage & { address: string }];
    await session.roots.check(address);
    const found = await session.withNets(run.spec.weights, async (nets) => {
      const { inference, scale } = preparePrediction("predict", nets, options, names);
      const windows = await openWindows(await addressSource(address), scale);
      try {
        const region = regionsOf(scene.plan)[item - scene.first];
        return await predictRegion(inference, windows, scene.plan, region as NonNullable<typeof region>);
      } finally {
        await windows.close();
      }
    });
    await files.writeRegion(item, found.labels);
    regions.push({ item, tiles: found.tiles, counts: [...countLabels(found.labels)] });
  }
  return { images: [], files: [], remarks: [], regions };
}

/** What is made of the regions of a scene. */
interface JoinedScene {
  readonly summary: ReturnType<typeof summaryOfScene>;
  readonly files: readonly WrittenFile[];
  readonly remark: ReturnType<typeof sceneRemark>;
}

/** Puts the regions of a scene together, holding one row of them at a time. Undefined if some were given up. */
export async function joinScene(
  { input, stem }: ListedImage,
  scene: Scene,
  parts: ReadonlyMap<number, RegionPart>,
  save: readonly OutputName[],
  files: RunFiles,
): Promise<JoinedScene | undefined> {
  const own = Array.from({ length: scene.regions }, (_, i) => parts.get(scene.first + i));
  if (own.some((part) => part === undefined)) return undefined;
  const summary = summaryOfScene(input, scene, own as RegionPart[]);
  const written: WrittenFile[] = [];
  const names = namesOf(stem, save);
  const put = async (kind: OutputName, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> => {
    written.push(await writeWithDigest(files.place, names.get(kind) as string, content));
  };
  if (save.includes("labels")) {
    await put(
      "labels",
      joinRegions(scene.plan, scene.palette, (_, i) => files.readRegion(scene.first + i)),
    );
  }
  if (save.includes("summary")) await put("summary", encodeSummary(summary));
  return { summary, files: written, remark: sceneRemark(input, { plan: scene.plan, summary }, save) };
}

function summaryOfScene(input: string, { plan, classes }: Scene, parts: readonly RegionPart[]) {
  const counts = new Float64Array(256);
  for (const part of parts) for (const [label, count] of part.counts.entries()) counts[label]! += count;
  const tiles = parts.reduce((sum, part) => sum + part.tiles, 0);
  return { input, height: plan.height, width: plan.width, tiles, classes: classShares(counts, classes) };
}
